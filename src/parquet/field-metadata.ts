/** Keys of a field's metadata: what its Arrow type does not say of the Parquet column. */

/** The column's field id, as Arrow's other implementations have it. */
export const FIELD_ID_KEY = 'PARQUET:field_id'

/** The annotation that no Arrow type says, such as `UUID`. */
export const LOGICAL_TYPE_KEY = 'PARQUET:logicalType'

/** Of decimals that are stored in bytes though an integer would hold them: how many bytes. */
export const DECIMAL_BYTES_KEY = 'PARQUET:decimalBytes'

/** `true` of nanoseconds that are stored as INT96, which engines of the Hadoop world read and others no longer write. */
export const INT96_KEY = 'PARQUET:int96'
