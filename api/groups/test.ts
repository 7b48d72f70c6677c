import { toWireTime } from '../../store/instant.ts'
import { lastGroupPreflights } from '../../store/preflights.ts'
import type { instanceGroups } from '../../store/schema/catalog.ts'
import type { RequestContext, Row } from '../context.ts'
import { ValidationError } from '../errors.ts'
import { groupTestFields, listTests, runTest } from '../preflight/test-action.ts'
import type { Action } from '../resource.ts'

/**
 * `/instance_groups/N/test/`: POST tests whether jobs can run in a container group and answers a report of checks, each with what to do about it; GET lists the
 * last ones, those of the nights among them.
 */
export const groupTestAction: Action<typeof instanceGroups.$inferSelect & Row> = {
  title: 'Instance Group Test',
  ownTransaction: true,
  link: (group) => group.isContainerGroup,
  fields: { POST: groupTestFields },
  GET: (input) => listTests({ instanceGroupId: input.object.id }, input),
  async POST(input) {
    if (!input.object.isContainerGroup) {
      const message = 'Only container groups can be tested. Set is_container_group, or choose another group.'
      throw ValidationError.on('is_container_group', message)
    }
    return await runTest({ instanceGroupId: input.object.id }, input)
  },
}

/** `last_test` in summary_fields of groups that were tested; one query for all of them. */
export async function lastTests(rows: readonly Row[], context: RequestContext): Promise<Record<string, unknown>[]> {
  const tests = await lastGroupPreflights(
    context.db,
    rows.map(({ id }) => id),
  )
  return rows.map(({ id: groupId }) => {
    const test = tests.get(groupId)
    if (!test) return {}
    const { id, ok, trigger, finished, report } = test
    const failed = report?.checks.find(({ outcome }) => outcome === 'failed')?.name ?? ''
    return { last_test: { id, ok, trigger, finished: toWireTime(finished), failed } }
  })
}
