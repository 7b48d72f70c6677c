/**
 * The thread that runs workflows: the SDK's own, without the stacks that it keeps for promises. For each promise of a workflow it makes an error, looks every frame of it up in the source map and
 * keeps the text, for the one query by which an operator may ask where the code of a workflow stands; that was 40 % of the thread's time. Without
 * them that query says that there are none, as on engines that know no hooks for promises. Stacks of errors stay.
 */
import { globalHandlers } from '@temporalio/worker/lib/workflow/vm-shared.js'

// Private to the type alone; what creates workflows here tells them by `promiseHookInstalled` that nothing is kept.
Object.assign(globalHandlers, { setPromiseHook: () => {} })
await import('@temporalio/worker/lib/workflow/workflow-worker-thread.js')
