import { AwsV4Signer } from 'aws4fetch'
import { post } from './http.ts'
import { DeliveryError, type Sender, textOf } from './sender.ts'

/** Publishes the message's document to a topic of Amazon's Simple Notification Service. `api`: where that is in a region. */
export function awsSnsSender(api = (region: string) => `https://sns.${region}.amazonaws.com`): Sender {
  return async ({ configuration, body }, signal) => {
    const topic = textOf(configuration, 'sns_topic_arn')
    const region = textOf(configuration, 'aws_region') || topic.split(':')[3] || ''
    const accessKeyId = textOf(configuration, 'aws_access_key_id')
    const secretAccessKey = textOf(configuration, 'aws_secret_access_key')
    const missing = Object.entries({ sns_topic_arn: topic, aws_region: region, aws_access_key_id: accessKeyId })
      .concat([['aws_secret_access_key', secretAccessKey]])
      .find(([, value]) => value === '')
    if (missing) throw new DeliveryError(`Error sending notification awssns: ${missing[0]} is not set`, true)
    const signer = new AwsV4Signer({
      ...{ method: 'POST', url: `${api(region)}/`, service: 'sns', region, accessKeyId, secretAccessKey },
      sessionToken: textOf(configuration, 'aws_session_token') || undefined,
      headers: { 'content-type': 'application/x-www-form-urlencoded; charset=utf-8' },
      body: new URLSearchParams({
        Action: 'Publish',
        Version: '2010-03-31',
        TopicArn: topic,
        Message: body,
      }).toString(),
    })
    const { url, headers, body: signed } = await signer.sign()
    await post(
      {
        url: url.toString(),
        headers: Object.fromEntries(headers as unknown as Iterable<[string, string]>),
        body: String(signed),
        complaint: 'Error sending notification awssns',
      },
      signal,
    )
    return 1
  }
}
