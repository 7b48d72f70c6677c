import { writeFile } from 'node:fs/promises'
import { bundleWorkflowCode, DefaultLogger } from '@temporalio/worker'

/** `node build-workflow-bundle.ts ENTRY TARGET`: run by workflow-bundle.ts as a process of its own. */
const [entry, target] = process.argv.slice(2)
if (!entry || !target) throw new Error('usage: build-workflow-bundle.ts ENTRY TARGET')
const { code } = await bundleWorkflowCode({ workflowsPath: entry, logger: new DefaultLogger('ERROR') })
await writeFile(target, code)
