import {
  Bool,
  Data,
  type DataType,
  Dictionary,
  Field,
  FixedSizeList,
  Float64,
  Int32,
  List,
  Map_,
  makeData,
  Null,
  Struct,
  Utf8,
  vectorFromArray,
} from 'apache-arrow'
import fc from 'fast-check'

/** A type with nullability at each level; as JSON it tells Python what the values are. */
export type Shape = { nullable: boolean } & (
  | { kind: 'int32' | 'float64' | 'bool' | 'utf8' | 'coded' | 'null' }
  | { kind: 'list'; element: Shape }
  | { kind: 'fixed'; size: number; element: Shape }
  | { kind: 'map'; key: Shape; value: Shape }
  | { kind: 'struct'; fields: Shape[] }
)

/** A nested column: its type, and a value a row as JSON has it; maps are arrays of pairs. */
export interface NestedColumn {
  shape: Shape
  rows: unknown[]
}

/** Names of a struct's fields, by their place. */
export const MEMBERS = ['a', 'b', 'c d', 'ä']

const leafShape = (kinds: readonly ('int32' | 'float64' | 'bool' | 'utf8' | 'coded' | 'null')[]) =>
  fc.record({ kind: fc.constantFrom(...kinds), nullable: fc.boolean() }) as fc.Arbitrary<Shape>

const { shape } = fc.letrec<{ shape: Shape; nested: Shape; leaf: Shape }>(tie => ({
  leaf: leafShape(['int32', 'float64', 'bool', 'utf8', 'coded', 'null']).map(leaf =>
    leaf.kind === 'null' ? { ...leaf, nullable: true } : leaf,
  ),
  nested: fc.oneof(
    fc.record({ kind: fc.constant('list' as const), nullable: fc.boolean(), element: tie('shape') }),
    fc.record({
      kind: fc.constant('fixed' as const),
      nullable: fc.boolean(),
      size: fc.integer({ min: 1, max: 3 }),
      element: tie('shape'),
    }),
    fc.record({
      kind: fc.constant('map' as const),
      nullable: fc.boolean(),
      key: leafShape(['int32', 'utf8']).map((key): Shape => ({ ...key, nullable: false })),
      value: tie('shape'),
    }),
    fc.record({
      kind: fc.constant('struct' as const),
      nullable: fc.boolean(),
      fields: fc.array(tie('shape'), { minLength: 1, maxLength: MEMBERS.length }),
    }),
  ),
  shape: fc.oneof({ maxDepth: 4, depthSize: 'small' }, tie('leaf'), tie('nested')),
}))

/** Columns of any nested type with any values. */
export const nestedColumn: fc.Arbitrary<NestedColumn> = shape
  .filter(({ kind }) => ['list', 'fixed', 'map', 'struct'].includes(kind))
  .chain(shape =>
    fc.record({ shape: fc.constant(shape), rows: fc.array(valuesOf(shape), { maxLength: 60, size: 'max' }) }),
  )

function valuesOf(shape: Shape): fc.Arbitrary<unknown> {
  const value = presentOf(shape)
  return shape.nullable ? fc.option(value, { freq: 3 }) : value
}

function presentOf(shape: Shape): fc.Arbitrary<unknown> {
  switch (shape.kind) {
    case 'int32':
      return fc.oneof(fc.nat(5), fc.integer())
    case 'float64':
      return fc.integer({ min: -1000, max: 1000 }).map(value => value / 8)
    case 'bool':
      return fc.boolean()
    case 'utf8':
      return fc.oneof(fc.constantFrom('', 'a', 'ab'), fc.string({ unit: 'grapheme', maxLength: 8 }))
    case 'coded':
      return fc.constantFrom('', 'x', 'yy')
    case 'null':
      return fc.constant(null)
    case 'list':
      return fc.array(valuesOf(shape.element), { maxLength: 5 })
    case 'fixed':
      return fc.array(valuesOf(shape.element), { minLength: shape.size, maxLength: shape.size })
    case 'map':
      return fc.uniqueArray(fc.tuple(valuesOf(shape.key), valuesOf(shape.value)), {
        maxLength: 4,
        selector: ([key]) => key,
      })
    case 'struct':
      return fc.record(Object.fromEntries(shape.fields.map((field, i) => [MEMBERS[i]!, valuesOf(field)])))
  }
}

export function fieldOf(name: string, shape: Shape): Field {
  return new Field(name, typeOf(shape), shape.nullable)
}

function typeOf(shape: Shape): DataType {
  switch (shape.kind) {
    case 'int32':
      return new Int32()
    case 'float64':
      return new Float64()
    case 'bool':
      return new Bool()
    case 'utf8':
      return new Utf8()
    case 'coded':
      return new Dictionary(new Utf8(), new Int32())
    case 'null':
      return new Null()
    case 'list':
      return new List(fieldOf('item', shape.element))
    case 'fixed':
      return new FixedSizeList(shape.size, fieldOf('item', shape.element))
    case 'map': {
      const entries = new Struct([fieldOf('keys', shape.key), fieldOf('values', shape.value)])
      return new Map_(new Field('entries', entries, false) as Field<never>)
    }
    case 'struct':
      return new Struct(shape.fields.map((field, i) => fieldOf(MEMBERS[i]!, field)))
  }
}

/**
 * The values as Arrow data, as unlike the plain form as Arrow allows: null lists have elements, null structs have
 * values in them, offsets begin behind elements that nothing names.
 */
export function dataOf(shape: Shape, values: readonly unknown[]): Data {
  const type = typeOf(shape)
  const length = values.length
  const nullBitmap = new Uint8Array((length + 7) >> 3)
  for (const [i, value] of values.entries()) if (value !== null) nullBitmap[i >> 3]! |= 1 << (i & 7)
  const nullCount = values.filter(value => value === null).length
  const make = (parts: object) =>
    makeData({
      type,
      length,
      nullCount,
      ...(nullCount === 0 ? {} : { nullBitmap }),
      ...parts,
    } as unknown as Parameters<typeof makeData>[0]) as Data
  switch (shape.kind) {
    case 'null':
      return make({})
    case 'int32':
    case 'float64':
    case 'bool':
    case 'utf8': {
      const { values: data, valueOffsets } = vectorFromArray(
        values.map(value => value ?? placeholder(shape)),
        type,
      ).data[0]! as Data
      return make({ data, ...(valueOffsets === undefined ? {} : { valueOffsets }) })
    }
    case 'coded': {
      const dictionary = vectorFromArray(['yy', '', 'unused', 'x'], new Utf8())
      const codes = values.map(value => Math.max(0, [...dictionary].indexOf(value as string)))
      return make({ data: Int32Array.from(codes), dictionary })
    }
    case 'fixed': {
      const elements = values.flatMap(value => value ?? Array(shape.size).fill(placeholder(shape.element)))
      return make({ child: dataOf(shape.element, elements) })
    }
    case 'list':
    case 'map': {
      const element: Shape =
        shape.kind === 'list'
          ? shape.element
          : { kind: 'struct', nullable: false, fields: [shape.key, shape.value] }
      const lists = values.map(value => {
        if (value === null) return [placeholder(element)]
        return shape.kind === 'list' ? value : (value as unknown[][]).map(([a, b]) => ({ a, b }))
      }) as unknown[][]
      const elements = [placeholder(element), ...lists.flat()]
      const valueOffsets = new Int32Array(length + 1).fill(1)
      for (const [i, list] of lists.entries()) valueOffsets[i + 1] = valueOffsets[i]! + list.length
      const child = dataOf(element, elements)
      const entries = type.children[0]!.type as DataType
      return make({ valueOffsets, child: shape.kind === 'list' ? child : child.clone(entries) })
    }
    case 'struct': {
      const children = shape.fields.map((field, i) =>
        dataOf(
          field,
          values.map(value =>
            value === null ? placeholder(field) : (value as Record<string, unknown>)[MEMBERS[i]!],
          ),
        ),
      )
      return new Data(
        type,
        0,
        length,
        nullCount,
        { 2: nullCount === 0 ? undefined : nullBitmap } as never,
        children,
      )
    }
  }
}

/** What a value that is not there may look like. */
function placeholder(shape: Shape): unknown {
  switch (shape.kind) {
    case 'int32':
    case 'float64':
      return 99
    case 'bool':
      return true
    case 'utf8':
      return 'hidden'
    case 'coded':
      return 'x'
    case 'null':
      return null
    case 'list':
    case 'map':
      return []
    case 'fixed':
      return Array(shape.size).fill(placeholder(shape.element))
    case 'struct':
      return Object.fromEntries(shape.fields.map((field, i) => [MEMBERS[i]!, placeholder(field)]))
  }
}
