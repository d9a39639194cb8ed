/** The method by which `util.inspect`, and so `console.log`, shows an object. */
const inspectMethod: unique symbol = Symbol.for('nodejs.util.inspect.custom')

type Inspect = (value: unknown, options?: object) => string

/**
 * Has an object, or all of a class by its prototype, shown by `util.inspect` and in JSON as what `render` gives.
 *
 * @param name goes before it, but not in JSON
 */
export function showAs<T extends object>(object: T, render: (self: T) => unknown, name = ''): T {
  return Object.defineProperties(object, {
    toJSON: {
      value(this: T) {
        return render(this)
      },
    },
    [inspectMethod]: {
      value(this: T, _depth: number, options: object, inspect: Inspect) {
        return `${name === '' ? '' : `${name} `}${inspect(render(this), options)}`
      },
    },
  })
}
