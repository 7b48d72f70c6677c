import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { wrapperArgs } from '../../kubernetes/scripts.ts'
import { deliverPayload } from '../../kubernetes/spool.ts'
import { LocalPod } from '../../kubernetes/testing/local-pod.ts'
import type { Store } from '../../store/database.ts'
import { FencedError } from '../../store/fence.ts'
import { testStore } from '../../store/testing.ts'
import { makeAttempt } from '../../store/testing-data.ts'
import { collectOutput } from './collect.ts'

const dataFolder = mkdtempSync(join(tmpdir(), 'mayfly-collect-'))
let store: Store
beforeAll(async () => {
  store = await testStore('pglite')
})
afterAll(async () => {
  await store.close()
  rmSync(dataFolder, { recursive: true })
})

const line = JSON.stringify({ event: 'verbose', uuid: 'u1', counter: 1, stdout: 'said' })

test('what cannot be stored is told at once, though the play says nothing more for hours', async () => {
  const pod = new LocalPod('gnu')
  try {
    pod.start(wrapperArgs(['sh', '-c', `cat >/dev/null; echo '${line}'; sleep 10000`]))
    const signal = AbortSignal.timeout(120_000)
    const session = await deliverPayload(pod, pod.ref, Buffer.from('work'), 4, signal)
    const attempt = await makeAttempt(store.db)
    const collected = collectOutput(
      { store, settings: { dataFolder } },
      {
        ...{
          jobId: attempt.jobId,
          attemptId: attempt.id,
          cluster: pod,
          pod: pod.ref,
          session,
          offset: 0,
          lastCounter: 0,
        },
        ...{ hostIds: new Map(), secrets: [], signal, onStarting: async () => {}, onStored: () => {} },
        runId: 'of another run',
      },
    )
    await expect(collected).rejects.toThrow(FencedError)
  } finally {
    await pod.remove()
  }
}, 180_000)
