import { expect, test } from 'vitest'
import { closingLine, countTests, type VitestReport } from './counts.ts'

const clean: VitestReport = {
  numPassedTests: 3,
  numFailedTests: 0,
  numPendingTests: 0,
  numTodoTests: 0,
  success: true,
  testResults: [{ status: 'passed', assertionResults: [{ status: 'passed' }] }],
}

test('a clean run has no failure', () => {
  expect(countTests(true, clean)).toEqual({ passed: 3, failed: 0, skipped: 0 })
})

test('failed tests are counted one by one', () => {
  const testResults = [{ status: 'failed', assertionResults: [{ status: 'failed' }, { status: 'failed' }] }]
  expect(countTests(false, { ...clean, numFailedTests: 2, success: false, testResults }).failed).toBe(2)
})

test('a file that cannot be loaded is a failure', () => {
  const testResults = [...clean.testResults, { status: 'failed', assertionResults: [] }]
  expect(countTests(false, { ...clean, success: false, testResults }).failed).toBe(1)
})

test('a run that failed behind a clean report is a failure', () => {
  expect(countTests(false, clean).failed).toBe(1)
})

test('a run without report is a failure', () => {
  expect(countTests(true, undefined)).toEqual({ passed: 0, failed: 1, skipped: 0 })
})

test('skipped tests are told', () => {
  expect(countTests(true, { ...clean, numPendingTests: 1, numTodoTests: 2 }).skipped).toBe(3)
})

test('the closing line', () => {
  expect(closingLine({ passed: 12, failed: 0 })).toBe('12 passed, 0 failed')
})
