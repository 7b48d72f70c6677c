/**
 * `npm run histories`: plays the scenarios on the code as it is, and keeps the history of each whose course is not kept yet. A pattern after `-t`
 * plays only the scenarios whose names match: `npm run histories -- -t approval`.
 */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { Undo } from '../setup/own-places.ts'
import { furtherScenarios } from './further-scenarios.ts'
import { keep } from './history.ts'
import { jobScenarios } from './job-scenarios.ts'
import { loneScenarios } from './lone-scenarios.ts'
import { Stage } from './stage.ts'
import type { Scenario } from './steps.ts'
import { workflowJobScenarios } from './workflow-job-scenarios.ts'

const undo = new Undo()
let stage: Stage

beforeAll(async () => {
  stage = await Stage.open(undo)
})
afterAll(() => undo.all())

async function record(name: string, scenario: Scenario): Promise<void> {
  const recorded = await scenario(stage)
  const history = await stage.history(recorded)
  expect(history.events.length).toBeGreaterThan(3)
  const kept = keep(name, history)
  console.log(kept ? `${name}: kept as ${kept}` : `${name}: its course is kept already`)
}

const together = { ...jobScenarios, ...workflowJobScenarios, ...furtherScenarios }
test.concurrent.for(Object.entries(together))('%s', ([name, scenario]) => record(name, scenario))
test.for(Object.entries(loneScenarios))('%s', ([name, scenario]) => record(name, scenario))
