import type { Resource } from './resource.ts'
import { credentialTypesResource } from './resources/credential-types.ts'
import { credentialsResource } from './resources/credentials.ts'
import { executionEnvironmentsResource } from './resources/execution-environments.ts'
import { organizationsResource } from './resources/organizations.ts'
import { tokensResource } from './resources/tokens.ts'
import { usersResource } from './resources/users.ts'

/** Every resource of the API, in the order of AWX's map at `GET /api/v2/`. A new resource is added here and nowhere else. */
export const allResources: readonly Resource[] = [
  organizationsResource,
  usersResource,
  executionEnvironmentsResource,
  credentialsResource,
  credentialTypesResource,
  tokensResource,
]
