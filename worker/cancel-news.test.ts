import { expect, test } from 'vitest'
import { channels } from '../store/channel.ts'
import type { NotificationListener } from '../store/database.ts'
import { StoredCancels } from './cancel-news.ts'

test('whoever follows a job hears of its cancel, until it follows no longer', async () => {
  let notify: NotificationListener = () => expect.fail('nobody listens')
  const cancels = new StoredCancels()
  await cancels.start({
    listen: async (channel, callback) => {
      expect(channel).toBe(channels.cancels)
      notify = callback
      return async () => {
        notify = () => expect.fail('nobody listens any more')
      }
    },
  })
  const heard: string[] = []
  const leave = cancels.follow(7, () => heard.push('first of 7'))
  cancels.follow(7, () => heard.push('second of 7'))
  cancels.follow(8, () => heard.push('8'))
  notify('7')
  expect(heard.splice(0)).toEqual(['first of 7', 'second of 7'])
  leave()
  leave()
  notify('7')
  notify('9')
  // A connection that came back says nothing of any one job.
  notify(null)
  expect(heard.splice(0)).toEqual(['second of 7'])
  await cancels.stop()
  expect(notify).toThrow('nobody listens any more')
})
