import type { Resource } from './resource.ts'
import { organizationsResource } from './resources/organizations.ts'

/** Every resource of the API, in the order of AWX's map at `GET /api/v2/`. A new resource is added here and nowhere else. */
export const allResources: readonly Resource[] = [organizationsResource]
