import { type Data, DataType, type RecordBatch } from 'apache-arrow'

/** Each row of a batch as a text that tells apart all values that differ; columns are in the order of their names. */
export function rowTexts(batch: RecordBatch): string[] {
  const columns = batch.schema.fields
    .map(({ name }, i) => ({ name, data: batch.data.children[i]! }))
    .sort((a, b) => (a.name < b.name ? -1 : 1))
  return Array.from({ length: batch.numRows }, (_, row) =>
    columns.map(({ name, data }) => `${name}=${valueText(data, row)}`).join(' '),
  )
}

/** From the raw values: Arrow's own getters refuse some, such as times that no Date can hold. */
function valueText(data: Data, row: number): string {
  const { type, offset, values, valueOffsets, children } = data
  if (DataType.isNull(type) || !data.getValid(row)) return 'null'
  if (DataType.isDictionary(type)) {
    return valueText(data.dictionary!.data[0]!, (values as Int32Array)[row]!)
  }
  if (DataType.isStruct(type)) return `{${children.map(child => valueText(child, row)).join(',')}}`
  if (DataType.isList(type) || DataType.isMap(type)) {
    const [start, end] = [valueOffsets[row]!, valueOffsets[row + 1]!]
    return `[${Array.from({ length: end - start }, (_, i) => valueText(children[0]!, start + i)).join(',')}]`
  }
  if (DataType.isUtf8(type) || DataType.isBinary(type)) {
    return Buffer.from((values as Uint8Array).subarray(valueOffsets[row]!, valueOffsets[row + 1]!)).toString(
      'latin1',
    )
  }
  if (DataType.isBool(type)) return String((values[(offset + row) >> 3]! >> ((offset + row) & 7)) & 1)
  const stride = DataType.isFixedSizeBinary(type)
    ? type.byteWidth
    : DataType.isDecimal(type)
      ? type.bitWidth / 32
      : 1
  if (stride > 1) return values.subarray(row * stride, (row + 1) * stride).join('.')
  const value = values[row]
  return Object.is(value, -0) ? '-0' : String(value)
}
