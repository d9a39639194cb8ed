import type { Schema } from 'apache-arrow'
import { bindPredicate } from './expressions/bind.ts'
import type { BoundExpr } from './expressions/bound.ts'
import { Expr } from './expressions/expr.ts'
import { childrenOf, type ExprNode } from './expressions/node.ts'
import type { Stage } from './stages.ts'

type Filter = Extract<Stage, { op: 'filter' }>

/** The filters that see the source's own columns, not derived ones of the same name: what they drop need not be read. */
export function pushable(stages: readonly Stage[], schema: Schema): Filter[] {
  const derived = new Set<string>()
  const found: Filter[] = []
  for (const stage of stages) {
    if (stage.op === 'derive') for (const [name] of stage.columns) derived.add(name)
    if (stage.op !== 'filter') continue
    const own = (name: string) => !derived.has(name) && schema.fields.some(field => field.name === name)
    if (columnsIn(stage.predicate).every(own)) found.push(stage)
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
  const end = stages.findIndex(stage => stage.op === 'filter' && !candidates.includes(stage))
  const first = candidates.filter(filter => end < 0 || stages.indexOf(filter) < end)
  return {
    predicates: first.map(({ predicate }) => bindPredicate(new Expr(predicate), schema)),
    rest: stages.filter(stage => !(first as Stage[]).includes(stage)),
  }
}

function columnsIn(node: ExprNode): string[] {
  return node.op === 'column' ? [node.name] : childrenOf(node).flatMap(columnsIn)
}
