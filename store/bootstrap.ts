import { randomBytes, randomUUID } from 'node:crypto'
import { eq, sql } from 'drizzle-orm'
import type { Database, Store } from './database.ts'
import { managedCredentialTypes } from './managed-credential-types.ts'
import { hashPassword } from './passwords.ts'
import {
  credentials,
  credentialTypes,
  executionEnvironments,
  instanceGroups,
  organizationGalaxyCredentials,
  organizations,
} from './schema/catalog.ts'
import { installation, users } from './schema/identity.ts'
import { makeSystemJobTemplates } from './system-job-templates.ts'

/** AWX's name of the execution environment of project updates; managed: users cannot change it. */
export const controlPlaneEnvironment = 'Control Plane Execution Environment'

/** AWX's name of the instance group of the control plane: project updates show it. */
export const controlPlaneGroup = 'controlplane'

/** What the first start takes from the settings. */
export interface BootstrapOptions {
  /** For `admin`; generated when absent. Used on the first start only: later ones never change a password. */
  adminPassword?: string
  /** Image of the two execution environments, pinned by the release. */
  defaultImage: string
}

/**
 * Makes what an installation must have to be used, once: install UUID, `admin`, organization `Default`, instance groups, execution
 * environments; and brings the managed credential types to this release's. Returns the admin's password when it made one.
 */
export async function bootstrap(store: Store, options: BootstrapOptions): Promise<{ generatedPassword?: string }> {
  const generatedPassword = options.adminPassword === undefined ? randomBytes(18).toString('base64url') : undefined
  const passwordHash = await hashPassword(options.adminPassword ?? generatedPassword ?? '')
  return await store.db.transaction(async (tx) => {
    await tx.execute(sql`SELECT pg_advisory_xact_lock(7205759403792794)`)
    await upsertCredentialTypes(tx)
    await makeSystemJobTemplates(tx)
    const first = await tx
      .insert(installation)
      .values({ key: 'install_uuid', value: randomUUID() })
      .onConflictDoNothing()
      .returning()
    if (first.length === 0) {
      await followDefaultImage(tx, options.defaultImage)
      return {}
    }
    await makeFirstObjects(tx, options.defaultImage, passwordHash)
    return generatedPassword === undefined ? {} : { generatedPassword }
  })
}

/** UUID of this installation: label of its pods, part of its clients' answers. */
export async function readInstallUuid(db: Database): Promise<string> {
  const [row] = await db.select().from(installation).where(eq(installation.key, 'install_uuid'))
  if (typeof row?.value !== 'string') throw new Error('the database was not bootstrapped')
  return row.value
}

async function upsertCredentialTypes(tx: Database): Promise<void> {
  for (const { inputs, ...type } of managedCredentialTypes) {
    const row = { ...type, managed: true, inputs: { ...inputs } }
    await tx
      .insert(credentialTypes)
      .values(row)
      .onConflictDoUpdate({
        target: [credentialTypes.name, credentialTypes.kind],
        set: { ...row, modified: sql`now()` },
        // A custom type of the same name is the user's; and an unchanged one keeps its `modified`.
        setWhere: sql`${credentialTypes.managed} AND ${credentialTypes.inputs}::text <> ${JSON.stringify(inputs)}`,
      })
  }
}

async function makeFirstObjects(tx: Database, image: string, passwordHash: string): Promise<void> {
  await tx.insert(users).values({ username: 'admin', passwordHash, isSuperuser: true })
  const [organization] = await tx
    .insert(organizations)
    .values({ name: 'Default', description: 'The organization of everything that has no other' })
    .returning()
  await makeGalaxyCredential(tx, organization?.id ?? 0)
  const policy = { policyInstancePercentage: 100 }
  await tx.insert(instanceGroups).values([
    { name: controlPlaneGroup, ...policy },
    { name: 'default', isContainerGroup: true, ...policy },
  ])
  await tx.insert(executionEnvironments).values([
    { name: 'Default execution environment', image },
    { name: controlPlaneEnvironment, image, managed: true },
  ])
  await tx.insert(installation).values({ key: 'default_image', value: image })
}

/** The public Galaxy as a credential that users cannot change; only the first organization has it from the start, as in AWX. */
async function makeGalaxyCredential(tx: Database, organizationId: number): Promise<void> {
  const [type] = await tx.select().from(credentialTypes).where(eq(credentialTypes.namespace, 'galaxy_api_token'))
  if (!type) throw new Error('the credential type galaxy_api_token is missing')
  const inputs = { url: 'https://galaxy.ansible.com/' }
  const [made] = await tx
    .insert(credentials)
    .values({ name: 'Ansible Galaxy', credentialTypeId: type.id, managed: true, inputs })
    .returning()
  if (!made) throw new Error('the Galaxy credential was not made')
  await tx.insert(organizationGalaxyCredentials).values({ organizationId, credentialId: made.id, position: 1 })
}

/** A new release brings a new image: environments that still have the old release's follow, those that were edited do not. */
async function followDefaultImage(tx: Database, image: string): Promise<void> {
  const [before] = await tx.select().from(installation).where(eq(installation.key, 'default_image'))
  if (before?.value === image) return
  await tx
    .update(executionEnvironments)
    .set({ image, modified: sql`now()` })
    .where(eq(executionEnvironments.image, String(before?.value)))
  await tx
    .insert(installation)
    .values({ key: 'default_image', value: image })
    .onConflictDoUpdate({ target: installation.key, set: { value: image } })
}
