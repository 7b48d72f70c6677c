import { describe, expect, test } from 'vitest'
import { bodyDocument, composeMessage, testMessage } from './compose.ts'
import type { JobFacts } from './job.ts'

const base = 'https://towerhost'
const summary = {
  changed: 1,
  dark: 0,
  failures: 0,
  ok: 2,
  processed: 1,
  skipped: 0,
  rescued: 0,
  ignored: 0,
  failed: false,
}

function facts(more: Partial<JobFacts> = {}): JobFacts {
  return {
    id: 47,
    type: 'job',
    name: 'rec-ok',
    fields: { id: 47, name: 'rec-ok', status: 'successful', finished: null, host_status_counts: { ok: 1 } },
    status: 'successful',
    started: '2026-11-21T13:17:15.881572Z',
    finished: '2026-11-21T13:17:25.728340Z',
    traceback: '',
    createdBy: 'admin',
    inventory: 'rec-inv',
    project: 'rec-manual',
    credential: 'rec-machine',
    playbook: 'ok.yml',
    limit: '',
    extraVars: '{}',
    hosts: { h1: summary },
    nodes: [],
    workflowJobId: null,
    ...more,
  }
}

describe('the standard messages', () => {
  test('a web hook gets what AWX was recorded to send', () => {
    const { subject, body } = composeMessage({ type: 'webhook', messages: null }, 'success', facts(), base)
    expect(subject).toBe('')
    expect(bodyDocument(body, 'nothing')).toEqual({
      id: 47,
      name: 'rec-ok',
      url: 'https://towerhost/#/jobs/playbook/47',
      created_by: 'admin',
      started: '2026-11-21T13:17:15.881572+00:00',
      finished: '2026-11-21T13:17:25.728340+00:00',
      status: 'successful',
      traceback: '',
      inventory: 'rec-inv',
      project: 'rec-manual',
      playbook: 'ok.yml',
      credential: 'rec-machine',
      limit: '',
      extra_vars: '{}',
      hosts: { h1: summary },
    })
  })

  test('a workflow job tells of its nodes, in AWX’s words', () => {
    const nodes = [
      { id: 8, job: { id: 59, name: 'rec-ok', status: 'successful' } },
      { id: 12, job: null },
    ]
    const job = facts({ id: 57, type: 'workflow_job', name: 'rec-wf', limit: 'h1', inventory: null, nodes })
    const { body } = composeMessage({ type: 'webhook', messages: {} }, 'error', job, base)
    expect(bodyDocument(body, 'nothing')).toMatchObject({
      url: 'https://towerhost/#/jobs/workflow/57',
      body: 'Workflow job summary:\n\n- node #8 spawns job #59, "rec-ok", which finished with status successful.\n- node #12 spawns no job.',
      inventory: null,
      limit: 'h1',
    })
  })

  test('an approval is announced as recorded', () => {
    const approval = facts({ id: 58, type: 'workflow_approval', name: 'rec-approval', workflowJobId: 56 })
    const { body } = composeMessage({ type: 'webhook', messages: null }, 'running', approval, base)
    expect(bodyDocument(body, 'nothing')).toEqual({
      body: 'The approval node "rec-approval" needs review. This node can be viewed at: https://towerhost/#/jobs/workflow/56',
    })
    const letter = composeMessage({ type: 'email', messages: null }, 'timed_out', approval, base)
    expect(letter.subject).toBe('The approval node "rec-approval" has timed out. https://towerhost/#/jobs/workflow/56')
    expect(letter.body).toMatch(/^The approval node .*\n\n\{\n {4}"id": 58,/)
  })

  test('a letter has a line and a text', () => {
    const { subject, body } = composeMessage({ type: 'email', messages: null }, 'success', facts(), base)
    expect(subject).toBe("Job #47 'rec-ok' successful: https://towerhost/#/jobs/playbook/47")
    expect(body).toMatch(
      /^Job #47 had status successful, view details at https:\/\/towerhost\/#\/jobs\/playbook\/47\n\n\{\n {4}"id": 47,/,
    )
  })
})

describe('messages of the user’s own', () => {
  const messages = {
    started: { message: '{{ job.name }} goes', body: '{"s": "{{ job.status }}", "n": "{{ job_friendly_name }}"}' },
    success: null,
    error: { message: null, body: 'failed' },
    workflow_approval: { denied: { message: 'no to {{ approval_node_name }}' } },
  }
  test('replace the standard ones, each for itself', () => {
    const job = facts({ fields: { name: 'rec\nfail', status: 'running' } })
    const own = composeMessage({ type: 'email', messages }, 'started', job, base)
    expect(own).toEqual({ subject: 'rec fail goes', body: '{"s": "running", "n": "Job"}' })
    const half = composeMessage({ type: 'email', messages }, 'error', facts(), base)
    expect(half.body).toBe('failed')
    expect(half.subject).toMatch(/^Job #47/)
    const denied = composeMessage({ type: 'slack', messages }, 'denied', facts({ name: 'gate' }), base)
    expect(denied).toEqual({ subject: 'no to gate', body: '' })
  })

  test('that cannot be rendered say why; a blank one says that', () => {
    const broken = { success: { message: '{{ job.id + "x" }}', body: ' {{ job.nothing }} ' } }
    const { subject, body } = composeMessage({ type: 'email', messages: broken }, 'success', facts(), base)
    expect(subject).toMatch(/^This message cannot be rendered: /)
    expect(body).toMatch(/blank/)
  })
})

test('the test button says who and where, in the form of the type', () => {
  expect(testMessage('webhook', 2, base)).toEqual({
    subject: 'Notification Test 2 https://towerhost',
    body: '{"body":"Test Notification 2 https://towerhost"}',
  })
  expect(testMessage('email', 2, base).body).toBe('Test Notification 2 https://towerhost')
  expect(testMessage('slack', 2, base).body).toBe('{"body":"Test Notification 2 https://towerhost"}')
})
