/** What a run of Vitest amounts to. */

/** The part of Vitest's JSON report that is read here. */
export interface VitestReport {
  numPassedTests: number
  numFailedTests: number
  numPendingTests: number
  numTodoTests: number
  success: boolean
  testResults: { status: string; assertionResults: { status: string }[] }[]
}

/** Tests by how they ended; `failed` includes files that could not be loaded. */
export interface Counts {
  passed: number
  failed: number
  skipped: number
}

/**
 * Counts a report. A file that failed without a failed test in it (it could not be loaded, or a hook of it threw) is one failure, and
 * so is a run that failed in a way that the report does not show: an unhandled error, the global set-up, a missing report.
 */
export function countTests(succeeded: boolean, report: VitestReport | undefined): Counts {
  if (!report) return { passed: 0, failed: 1, skipped: 0 }
  const brokenFiles = report.testResults.filter(
    (file) => file.status === 'failed' && !file.assertionResults.some((test) => test.status === 'failed'),
  ).length
  const failed = report.numFailedTests + brokenFiles
  return {
    passed: report.numPassedTests,
    failed: failed === 0 && !(succeeded && report.success) ? 1 : failed,
    skipped: report.numPendingTests + report.numTodoTests,
  }
}

/** The one line by which a run is judged. */
export function closingLine(counts: Pick<Counts, 'passed' | 'failed'>): string {
  return `${counts.passed} passed, ${counts.failed} failed`
}
