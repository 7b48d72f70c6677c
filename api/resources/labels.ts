import { labels } from '../../store/schema/labels.ts'
import { nameField } from '../field.ts'
import { defineResource } from '../resource.ts'

/** `/api/v2/labels/`: words by which templates and jobs are grouped. They go when nothing carries them any more. */
export const labelsResource = defineResource({
  name: 'labels',
  type: 'label',
  model: 'Label',
  titles: { list: 'Labels' },
  table: labels,
  methods: { list: ['GET', 'POST'], detail: ['GET', 'PUT', 'PATCH'] },
  fields: {
    name: nameField(),
    organization: { kind: 'id', to: 'organizations', required: true },
    description: { kind: 'string', readOnly: true, writeOnly: true },
  },
  order: ['name'],
  searchFields: ['description', 'name'],
  namedUrl: [['name'], ['organization__name']],
  unique: [{ fields: ['name', 'organization'] }],
})
