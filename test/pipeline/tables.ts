/** A column of every type that DuckDB writes flat, with nulls and the edges of the type, `rows` rows. */
export function everyType(rows: number): string {
  return `
    SELECT
      i AS id,
      CASE i % 5 WHEN 0 THEN NULL WHEN 1 THEN -128 WHEN 2 THEN 127 ELSE i % 100 END::TINYINT AS i8,
      CASE i % 7 WHEN 0 THEN NULL WHEN 1 THEN -32768 WHEN 2 THEN 32767 ELSE i % 3000 END::SMALLINT AS i16,
      CASE i % 9 WHEN 0 THEN NULL WHEN 1 THEN -2147483648 WHEN 2 THEN 2147483647 ELSE i * 3 END::INTEGER AS i32,
      CASE i % 11 WHEN 0 THEN NULL WHEN 1 THEN -9223372036854775808 WHEN 2 THEN 9223372036854775807
        ELSE hash(i)::HUGEINT - 9223372036854775808 END::BIGINT AS i64,
      CASE i % 4 WHEN 0 THEN NULL ELSE i % 256 END::UTINYINT AS u8,
      CASE i % 4 WHEN 1 THEN NULL ELSE i % 65536 END::USMALLINT AS u16,
      CASE i % 6 WHEN 2 THEN NULL WHEN 3 THEN 4294967295 ELSE i END::UINTEGER AS u32,
      CASE i % 6 WHEN 0 THEN NULL WHEN 1 THEN 18446744073709551615 ELSE hash(i) END::UBIGINT AS u64,
      CASE i % 8 WHEN 0 THEN NULL WHEN 1 THEN 'nan' WHEN 2 THEN '-0.0' WHEN 3 THEN '0.0' WHEN 4 THEN 'inf'
        WHEN 5 THEN '-inf' ELSE (i / 7)::VARCHAR END::FLOAT AS f32,
      CASE i % 8 WHEN 7 THEN NULL WHEN 6 THEN 'nan' WHEN 5 THEN '-0.0' WHEN 4 THEN '0.0' WHEN 3 THEN 'inf'
        WHEN 2 THEN '-inf' ELSE (i / 7)::VARCHAR END::DOUBLE AS f64,
      CASE WHEN i % 3 > 0 THEN (i % 1999 - 999) / 10 END::DECIMAL(4, 1) AS d4,
      CASE WHEN i % 3 > 0 THEN i * 1.25 END::DECIMAL(9, 2) AS d9,
      CASE WHEN i % 3 <> 1 THEN -i * 1001.0001 END::DECIMAL(18, 4) AS d18,
      CASE WHEN i % 3 <> 2 THEN hash(i)::DECIMAL(38, 10) - 9000000000000000000 END::DECIMAL(38, 10) AS d38,
      i % 2 = 0 AS flag,
      CASE WHEN i % 3 > 0 THEN i % 5 = 0 END AS maybe,
      ['', 'a', 'Zürich', '東京', '👩‍👩‍👧', NULL, 'x' || chr(0) || 'y'][1 + i % 7] AS word,
      CASE WHEN i % 10 > 0 THEN 'row ' || hash(i) || ' é' END AS text,
      CASE WHEN i % 4 > 0 THEN unhex(substr(md5(i::VARCHAR), 1, 2 * (i % 16)::INTEGER)) END AS bytes,
      CASE WHEN i % 6 > 0 THEN DATE '1969-12-25' + (i % 5000)::INTEGER END AS day,
      CASE WHEN i % 6 > 1 THEN TIME '00:00:00' + to_microseconds(i * 7919 % 86400000000) END AS time,
      CASE WHEN i % 6 > 1 THEN make_timestamp(i * 7919000001 - 1000000000000000) END AS at_us,
      CASE WHEN i % 5 > 1 THEN make_timestamp(i * 7919000001)::TIMESTAMP_MS END AS at_ms,
      CASE WHEN i % 5 <> 2 THEN make_timestamp_ns(i * 7919000001 - 1000000000000000001) END AS at_ns,
      CASE WHEN i % 5 <> 3 THEN make_timestamp(i * 7919000001)::TIMESTAMPTZ END AS at_tz,
      NULL::INTEGER AS nothing,
      42::BIGINT AS constant
    FROM range(${rows}) AS t(i)`
}
