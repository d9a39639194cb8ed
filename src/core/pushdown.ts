import type { Schema } from 'apache-arrow'
import { bindPredicate } from './expressions/bind.ts'
import type { BoundExpr } from './expressions/bound.ts'
import { Expr } from './expressions/expr.ts'
import { columnsIn, type ExprNode, withColumns } from './expressions/node.ts'
import type { Stage } from './stages.ts'

/** A filter that sees the source's own columns, and what it says of them under their own names. */
interface PushableFilter {
  stage: Stage
  predicate: ExprNode
}

/**
 * The columns after some stages that are the source's own, whatever they are called by then: the name there of each.
 * Columns that are computed are not among them.
 */
export function origins(stages: readonly Stage[], schema: Schema): Map<string, string> {
  const own = new Map(schema.fields.map(({ name }): [string, string] => [name, name]))
  return stages.reduce(originsAfter, own)
}

/** The filters that see the source's own columns, not derived ones of the same name: what they drop need not be read. */
export function pushable(stages: readonly Stage[], schema: Schema): PushableFilter[] {
  const found: PushableFilter[] = []
  let own = origins([], schema)
  for (const stage of stages) {
    const known = own
    if (stage.op === 'filter' && columnsIn(stage.predicate).every(name => known.has(name))) {
      found.push({ stage, predicate: withColumns(stage.predicate, name => known.get(name)!) })
    }
    own = originsAfter(own, stage)
  }
  return found
}

/** Those of {@link pushable}, bound to the source's columns. */
export function pushedPredicates(stages: readonly Stage[], schema: Schema): BoundExpr[] {
  return pushable(stages, schema).map(({ predicate }) => bindPredicate(new Expr(predicate), schema))
}

/**
 * The filters that can be evaluated before all else, and the stages that are left. They go before what is derived,
 * which then is not computed for rows that they drop; but no filter goes before another that was in front of it,
 * lest it see rows that it would fail on.
 */
export function filtersFirst(
  stages: readonly Stage[],
  schema: Schema,
): { predicates: BoundExpr[]; rest: Stage[] } {
  const candidates = pushable(stages, schema)
  const isCandidate = (stage: Stage) => candidates.some(filter => filter.stage === stage)
  const end = stages.findIndex(stage => stage.op === 'filter' && !isCandidate(stage))
  const first = candidates.filter(({ stage }) => end < 0 || stages.indexOf(stage) < end)
  return {
    predicates: first.map(({ predicate }) => bindPredicate(new Expr(predicate), schema)),
    rest: stages.filter(stage => !first.some(filter => filter.stage === stage)),
  }
}

function originsAfter(own: ReadonlyMap<string, string>, stage: Stage): Map<string, string> {
  switch (stage.op) {
    case 'filter':
      return new Map(own)
    case 'derive':
      return without(own, name => stage.columns.some(([derived]) => derived === name))
    case 'project':
      return without(own, name => !stage.columns.includes(name))
    case 'drop':
      return without(own, name => stage.columns.includes(name))
    case 'rename': {
      const names = new Map(stage.columns)
      return new Map(Array.from(own, ([name, origin]) => [names.get(name) ?? name, origin]))
    }
  }
}

function without(own: ReadonlyMap<string, string>, isGone: (name: string) => boolean): Map<string, string> {
  return new Map([...own].filter(([name]) => !isGone(name)))
}
