/** A part of a listing that is yet to be made: items in order, or all of them one by one. */
export class Branch<T> {
  readonly list: () => Promise<readonly (T | Branch<T>)[]> | AsyncIterable<T>

  constructor(list: Branch<T>['list']) {
    this.list = list
  }
}

/** Parts that have begun, or ended, and wait for their turn. */
const AHEAD = 64
/** Items that wait for their turn; those of the parts that are under way come on top. */
const ITEMS_AHEAD = 20_000

/** A piece of the listing: items, or a branch, begun or not. */
interface Link<T> {
  items: readonly T[]
  branch?: Branch<T> | undefined
  /** Settles, and never fails, once the branch has given its items, its first item, or an error. */
  begun?: Promise<void>
  stream?: { iterator: AsyncIterator<T>; first: IteratorResult<T> }
  failure?: { error: unknown }
  next: Link<T> | undefined
}

/**
 * The items of a tree of listings, in order: up to `concurrency` branches are listed at once, those first whose turn is
 * next. The first failure, in order, ends it; leaving early waits for what is under way.
 */
export async function* branchesInOrder<T>(
  root: Branch<T>,
  concurrency: number,
): AsyncGenerator<T, void, undefined> {
  let head: Link<T> | undefined = { items: [], branch: root, next: undefined }
  let running = 0
  const begin = (link: Link<T>, { list }: Branch<T>): void => {
    running++
    link.begun = first(link, list)
      .catch(error => {
        link.failure = { error }
      })
      .then(() => {
        running--
        schedule()
      })
  }
  const schedule = (): void => {
    let link = head
    let items = 0
    for (let seen = 0; link !== undefined && running < concurrency && seen < AHEAD; seen++) {
      items += link === head ? 0 : link.items.length
      if (items > ITEMS_AHEAD) return
      if (link.branch !== undefined && link.begun === undefined) begin(link, link.branch)
      link = link.next
    }
  }
  try {
    while (head !== undefined) {
      schedule()
      await head.begun
      if (head.failure !== undefined) throw head.failure.error
      yield* head.items
      if (head.stream !== undefined) {
        const { iterator } = head.stream
        for (let step = head.stream.first; !step.done; step = await iterator.next()) yield step.value
      }
      head = head.next
    }
  } finally {
    running = Number.POSITIVE_INFINITY
    for (let link = head; link !== undefined; link = link.next) {
      await link.begun
      await link.stream?.iterator.return?.()
    }
  }
}

/** Puts what a branch gives into its place. */
async function first<T>(link: Link<T>, list: Branch<T>['list']): Promise<void> {
  const listed = list()
  if (Symbol.asyncIterator in listed) {
    const iterator = listed[Symbol.asyncIterator]()
    link.stream = { iterator, first: await iterator.next() }
    return
  }
  const links = linked(await listed, link.next)
  link.next = links
}

/** Items as links, those between two branches in one. */
function linked<T>(items: readonly (T | Branch<T>)[], next: Link<T> | undefined): Link<T> | undefined {
  let last = next
  let end = items.length
  for (let i = items.length - 1; i >= 0; i--) {
    const item = items[i]
    if (!(item instanceof Branch)) continue
    last = withItems(items, i + 1, end, last)
    last = { items: [], branch: item, next: last }
    end = i
  }
  return withItems(items, 0, end, last)
}

function withItems<T>(
  items: readonly (T | Branch<T>)[],
  start: number,
  end: number,
  next: Link<T> | undefined,
): Link<T> | undefined {
  if (start === end) return next
  return { items: items.slice(start, end).filter(item => !(item instanceof Branch)) as T[], next }
}
