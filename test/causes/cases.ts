/** The ways in which a cluster keeps a job from its result, each as what a user would have set up. */
import { rootCertificates } from 'node:tls'
import pg from 'pg'
import { expect } from 'vitest'
import { ownKubernetesNamespace } from '../setup/own-places.ts'
import { countedQuota } from '../setup/quota.ts'
import { tokenWith } from '../setup/service-account.ts'
import { type Case, deletePod, groupBy, groupWith, worker } from './arrange.ts'
import { hasBegun, healthyNode, refusedPod, scheduled, waitingFor, withEvent } from './shown.ts'

/** A way to go wrong for each cause that a cluster can give. */
export const cases: Case[] = [
  {
    name: 'rows 19 and 52: an image that the registry does not have',
    arrange: async ({ scene, registry }) => ({ environment: await scene.environment(`${registry}/ee:gone`) }),
    explanation: /^The image 127\.0\.0\.1:\d+\/ee:gone cannot be pulled: .*not found/,
    detail: /ErrImagePull|ImagePullBackOff/,
    postMortem: waitingFor(/ErrImagePull|ImagePullBackOff/),
  },
  {
    name: 'an image that is not on the node and may not be pulled',
    arrange: async ({ scene, registry }) => ({ environment: await scene.environment(`${registry}/ee:1`, 'never') }),
    explanation: /^The image 127\.0\.0\.1:\d+\/ee:1 is not on the node, and pulling it is forbidden\.$/,
    detail: /ErrImageNeverPull/,
    postMortem: waitingFor(/ErrImageNeverPull/),
  },
  {
    name: 'an image without the runner',
    arrange: async ({ scene }) => ({
      environment: await scene.environment('mayfly.local/no-runner:latest', 'missing'),
    }),
    explanation: /^The image has no ansible-runner \(exit code 127\): use an execution environment\.$/,
    detail: /ansible-runner.*not found/,
    postMortem: scheduled(healthyNode),
  },
  {
    name: 'rows 20 and 53: a container that is killed for memory',
    arrange: (stage) => groupWith(stage, worker('resources: {requests: {memory: 24Mi}, limits: {memory: 24Mi}}')),
    explanation: /^The container was killed, most likely for using too much memory \(its memory limit is 24Mi\)\.$/,
    detail: /./,
    postMortem: scheduled({
      pod_manifest: expect.objectContaining({
        spec: expect.objectContaining({
          containers: [expect.objectContaining({ resources: expect.objectContaining({ limits: { memory: '24Mi' } }) })],
        }),
      }),
    }),
  },
  {
    name: 'a pod that somebody deletes',
    playbook: 'hold',
    arrange: () => ({}),
    during: (stage, job) => deletePod(stage, job),
    explanation: /^Pod automation-job-\d+-1 was deleted/,
    detail: /automation-job-\d+-1/,
    postMortem: scheduled(hasBegun),
  },
  {
    name: 'row 20: a pod that somebody deletes at once',
    playbook: 'hold',
    arrange: () => ({}),
    during: (stage, job) => deletePod(stage, job, 0),
    explanation: /^Pod automation-job-\d+-1 was deleted/,
    detail: /automation-job-\d+-1/,
    postMortem: scheduled({ ...hasBegun, source: 'watch', missing: expect.arrayContaining(['pod: it is gone']) }),
  },
  {
    name: 'row 20: a pod that the node evicts for its use of disk',
    playbook: 'fill',
    arrange: (stage) => groupWith(stage, worker('resources: {limits: {ephemeral-storage: 10Mi}}')),
    explanation: /^The node evicted the pod: .*ephemeral/,
    detail: /Evicted/,
    postMortem: withEvent('Evicted', /ephemeral/, {
      pod_status: expect.objectContaining({ reason: 'Evicted' }),
      ...hasBegun,
    }),
  },
  {
    name: 'row 17: a wrong token',
    arrange: (stage) => groupBy(stage, {}),
    explanation:
      /^The Kubernetes API at \S+ does not accept the token \(401 Unauthorized\): it is wrong or has expired\.$/,
    detail: /401 Unauthorized/,
    postMortem: refusedPod(),
  },
  {
    name: 'row 18: a certificate authority that did not sign',
    arrange: (stage) => groupBy(stage, { verify_ssl: true, ssl_ca_cert: rootCertificates[0] }),
    explanation: /^No TLS connection to the Kubernetes API at \S+: its certificate does not come from a trusted/,
    detail: /UNABLE_TO_|SELF_SIGNED|certificate/,
    postMortem: refusedPod(),
  },
  {
    name: 'an endpoint where nobody listens',
    arrange: (stage) => groupBy(stage, { host: 'https://127.0.0.1:1' }),
    explanation: /^Nobody listens at the Kubernetes API's address 127\.0\.0\.1:1\.$/,
    detail: /ECONNREFUSED/,
    postMortem: refusedPod(),
  },
  {
    name: 'an endpoint that has no address',
    arrange: (stage) => groupBy(stage, { host: 'https://kubernetes.invalid:6443' }),
    explanation: /^The host name of the Kubernetes API cannot be resolved: kubernetes\.invalid:6443\.$/,
    detail: /ENOTFOUND|EAI_AGAIN/,
    postMortem: refusedPod(),
  },
  {
    name: 'an endpoint that is no Kubernetes API',
    arrange: (stage) => groupBy(stage, { host: `http://${stage.registry}` }),
    explanation: /^127\.0\.0\.1:\d+ does not answer like a Kubernetes API/,
    detail: /404/,
    postMortem: refusedPod(),
  },
  {
    name: 'an endpoint that never answers',
    arrange: (stage) => groupBy(stage, { host: `http://${stage.silence}` }),
    explanation: /^The Kubernetes API at 127\.0\.0\.1:\d+ did not answer within 10 s\.$/,
    detail: /no answer within/,
    postMortem: refusedPod(),
  },
  {
    name: 'a namespace that does not exist',
    arrange: (stage) => groupWith(stage, 'metadata: {namespace: never-made}'),
    explanation: /^Namespace never-made does not exist\.$/,
    detail: /404 .*"never-made" not found/,
    postMortem: refusedPod({ namespace: 'never-made' }),
  },
  {
    name: 'an identity that may not create pods',
    arrange: async (stage) => groupBy(stage, { bearer_token: await tokenWith(stage.mayfly, 'reader', [podsToRead]) }),
    explanation: /^The credential has no right to create pods in namespace \S+ \(403 Forbidden\)\.$/,
    detail: /system:serviceaccount:\S+:reader/,
    postMortem: refusedPod({ missing: [expect.stringMatching(/^quotas: .*no right to list resourcequotas/)] }),
  },
  {
    name: 'an identity that may not exec into pods',
    arrange: async (stage) => groupBy(stage, { bearer_token: await tokenWith(stage.mayfly, 'no-exec', [podsToOwn]) }),
    explanation: /^The credential has no right to (get|create) pods\/exec in namespace \S+ \(403 Forbidden\)\.$/,
    detail: /system:serviceaccount:\S+:no-exec/,
    postMortem: {
      source: 'cluster',
      pod_status: expect.objectContaining({ phase: 'Running' }),
      events: [],
      node: null,
      missing: expect.arrayContaining([
        expect.stringMatching(/^events: .*no right to list events/),
        expect.stringMatching(/^quotas: .*no right to list resourcequotas/),
        expect.stringMatching(/^node \S+: .*no right to get nodes/),
      ]),
    },
  },
  {
    name: 'a pod that is larger than the quota',
    arrange: async (stage) => {
      const namespace = `${stage.mayfly.id}-small`
      const { stack } = stage.mayfly
      await ownKubernetesNamespace(stack, namespace, stage.undo)
      await countedQuota(stack, namespace, 'small', { 'requests.cpu': '100m' })
      return await groupWith(stage, `metadata: {namespace: ${namespace}}`)
    },
    explanation: /^The pod can never fit into quota small: it requests requests\.cpu 250m, and the quota is 100m\.$/,
    detail: /exceeded quota: small/,
    postMortem: refusedPod({
      quotas: [{ name: 'small', hard: { 'requests.cpu': '100m' }, used: { 'requests.cpu': '0' } }],
    }),
  },
  {
    name: 'a pod that no node takes',
    impatient: true,
    arrange: (stage) => groupWith(stage, 'spec: {nodeSelector: {mayfly.dev/no-such: node}}'),
    explanation: /^No node took the pod within \d+ s: .*didn't match Pod's node affinity\/selector/,
    detail: /./,
    postMortem: withEvent('FailedScheduling', /node affinity/, { node: null }),
  },
  {
    name: 'a pod whose volume never comes',
    impatient: true,
    arrange: (stage) =>
      groupWith(
        stage,
        // It asks for no part of a core: it must not spend its short time on waiting for the node.
        `spec: {containers: [{name: worker, resources: {requests: {cpu: 0}}, volumeMounts: [{name: v, mountPath: /v}]}], volumes: [{name: v, secret: {secretName: gone}}]}`,
      ),
    explanation: /^The pod did not start within \d+ s: ContainerCreating\. FailedMount: .*secret "gone" not found$/,
    detail: /FailedMount: .*secret "gone" not found/,
    postMortem: withEvent('FailedMount', /secret "gone" not found/),
  },
  {
    name: 'a container whose configuration is missing',
    arrange: (stage) =>
      groupWith(stage, worker('env: [{name: X, valueFrom: {configMapKeyRef: {name: gone, key: x}}}]')),
    explanation:
      /^The container worker could not be started \(CreateContainerConfigError\): configmap "gone" not found$/,
    detail: /configmap "gone" not found/,
    postMortem: waitingFor(/CreateContainerConfigError/),
  },
  {
    name: 'a pod that Kubernetes refuses',
    arrange: (stage) => groupWith(stage, 'spec: {serviceAccountName: gone}'),
    explanation: /^Kubernetes rejected the request: .*serviceaccount "gone" not found/,
    detail: /403 pods "automation-job-\d+-1" is forbidden/,
    postMortem: refusedPod({
      pod_manifest: expect.objectContaining({ spec: expect.objectContaining({ serviceAccountName: 'gone' }) }),
    }),
  },
  {
    name: 'a group whose credential was deleted',
    arrange: async (stage) => {
      const { mayfly } = stage
      const { group } = await groupBy(stage, {})
      const { credential } = await mayfly.get<{ credential: number }>(`/instance_groups/${group}/`)
      expectStatus(await mayfly.api('DELETE', `/credentials/${credential}/`), 204)
      return { group }
    },
    explanation: /^The credential of instance group "group \d+" was deleted\. Choose another one/,
    detail: /credential/,
    postMortem: null,
  },
  {
    name: 'a certificate authority that is none',
    // Refused where it is written; one of an earlier release may still be there.
    arrange: async (stage) => {
      const fields = await groupBy(stage, { verify_ssl: true })
      const database = new pg.Client(stage.mayfly.databaseUrl)
      await database.connect()
      await database.query(
        `UPDATE credentials SET inputs = (inputs::jsonb || '{"ssl_ca_cert": "hello"}')::json
         WHERE id = (SELECT credential_id FROM instance_groups WHERE id = $1)`,
        [fields.group],
      )
      await database.end()
      return fields
    },
    explanation: /^The certificate authority \(ssl_ca_cert\) is not in PEM form/,
    detail: /ssl_ca_cert/,
    postMortem: null,
  },
]

const podsToRead = { resources: ['pods'], verbs: ['get', 'list', 'watch'] }
const podsToOwn = { resources: ['pods'], verbs: ['get', 'list', 'watch', 'create', 'delete'] }

function expectStatus(answer: { status: number; text: string }, status: number): void {
  if (answer.status !== status) throw new Error(`${answer.status} instead of ${status}: ${answer.text}`)
}
