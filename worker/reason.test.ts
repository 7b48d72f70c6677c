import { ServiceError } from '@temporalio/client'
import { expect, test } from 'vitest'
import { reasonOf } from './reason.ts'

test.each([
  [Object.assign(new Error('14 UNAVAILABLE: no'), { details: 'no connection' }), 'no connection'],
  [
    new ServiceError('Failed to start Workflow', {
      cause: Object.assign(new Error('14 UNAVAILABLE'), { details: 'tcp connect error' }),
    }),
    'tcp connect error',
  ],
  [
    new ServiceError('Failed to start Workflow', {
      cause: Object.assign(new Error('tcp connect error'), { details: '' }),
    }),
    'tcp connect error',
  ],
  [new Error('plain', { cause: new Error('deeper') }), 'plain'],
  ['a text', 'a text'],
])('%s', (error, reason) => {
  expect(reasonOf(error)).toBe(reason)
})
