import type { Action } from '../resource.ts'
import { eventsAreStored, type JobRow } from './fields.ts'

/**
 * `/jobs/N/job_events/children_summary/`: what a tree view of the events needs. AWX answers it empty, with `is_tree` false, for output that is
 * shown as a list; so do we, because our clients page by lines.
 */
export const childrenSummaryAction: Action<JobRow> = {
  async GET({ object }) {
    return {
      status: 200,
      body: {
        children_summary: {},
        meta_event_nested_uuid: {},
        event_processing_finished: eventsAreStored(object),
        is_tree: false,
      },
    }
  },
  link: false,
}
