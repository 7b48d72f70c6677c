import { type Clusters, GroupMisconfiguredError, type GroupPlace } from '../activities/deps.ts'
import { type Cluster, openCluster } from '../kubernetes/cluster.ts'
import { type ClusterTarget, targetFromCredential } from '../kubernetes/target.ts'
import { parseOverride } from '../model/pod-template.ts'
import { openInputs } from '../store/credential-inputs.ts'
import type { Store } from '../store/database.ts'
import { type GroupDocument, readContainerGroups, readGroup } from '../store/groups.ts'
import type { Keyring } from '../store/secrets.ts'
import { readCredential, type TypedCredential } from '../store/typed-credential.ts'

/** What clusters are opened from. */
export interface ClusterSources {
  store: Store
  keyring: Keyring
  /** Where groups without a credential run: a kubeconfig, or the service account of the pod we are in. */
  home: ClusterTarget
  defaultNamespace: string
}

/** Opens clusters as groups and attempts need them, one connection per endpoint and identity. */
export class ClusterPool implements Clusters {
  readonly #sources: ClusterSources
  readonly #open = new Map<string, Cluster>()
  /** What was opened last of each credential, with its inputs as they rest: unsealing them and reading certificates costs more than a statement. */
  readonly #latest = new Map<number, { sealed: string; cluster: Cluster }>()
  #home: Cluster | undefined

  constructor(sources: ClusterSources) {
    this.#sources = sources
  }

  async forGroup(groupId: number): Promise<GroupPlace> {
    const document = await readGroup(this.#sources.store.db, groupId)
    if (!document) throw new GroupMisconfiguredError(`Instance group ${groupId} no longer exists.`)
    return await this.placeOf(document)
  }

  async placeOf({ group, credential }: GroupDocument): Promise<GroupPlace> {
    if (!group.isContainerGroup) {
      throw new GroupMisconfiguredError(
        `Instance group "${group.name}" is not a container group, so no job can run in it.`,
      )
    }
    if (group.credentialId === null && group.credentialRequired) {
      throw new GroupMisconfiguredError(
        `The credential of instance group "${group.name}" was deleted. Choose another one before jobs can run in it.`,
      )
    }
    const override = parseOverride(group.podSpecOverride)
    return {
      groupId: group.id,
      groupName: group.name,
      cluster: credential ? this.#opened(credential) : await this.#byCredential(group.credentialId),
      namespace: override.metadata?.namespace ?? this.#sources.defaultNamespace,
      podSpecOverride: group.podSpecOverride,
      credentialId: group.credentialId,
    }
  }

  async forAttempt(
    attempt: {
      instanceGroupId: number | null
      credentialId: number | null
      clusterKey: string
    },
    credential?: TypedCredential | null,
  ): Promise<Cluster | null> {
    // The credential is tried first, because the group may point elsewhere by now; the key proves that it is the same cluster.
    // The group is read only where that is needed: every job asks several times.
    for (const ask of [() => attempt.credentialId, () => this.#credentialOfGroup(attempt.instanceGroupId)]) {
      const credentialId = await ask()
      if (credentialId === undefined) continue
      // A credential that is gone or cannot be used is no way to the pod; perhaps the other one is.
      const known = credential?.credential.id === credentialId ? credential : null
      const cluster = await this.#byCredential(credentialId, known).catch(() => null)
      if (cluster && (cluster.key === attempt.clusterKey || attempt.clusterKey === '')) return cluster
    }
    return null
  }

  forCredential(credentialId: number): Promise<Cluster> {
    return this.#byCredential(credentialId)
  }

  async all(): Promise<{ name: string; cluster: Cluster; namespaces: Set<string> }[]> {
    const found = new Map<string, { name: string; cluster: Cluster; namespaces: Set<string> }>()
    for (const document of await readContainerGroups(this.#sources.store.db)) {
      // A misconfigured group hides no other; its own jobs are told why when they want a place.
      const place = await this.placeOf(document).catch(() => null)
      if (!place) continue
      const { connectionKey } = place.cluster
      const known = found.get(connectionKey) ?? { name: place.groupName, cluster: place.cluster, namespaces: new Set() }
      known.namespaces.add(place.namespace)
      found.set(connectionKey, known)
    }
    return [...found.values()]
  }

  close(): void {
    for (const cluster of this.#open.values()) cluster.close()
    this.#home?.close()
  }

  async #credentialOfGroup(groupId: number | null): Promise<number | null | undefined> {
    if (groupId === null) return undefined
    const document = await readGroup(this.#sources.store.db, groupId)
    return document?.group.credentialId
  }

  async #byCredential(credentialId: number | null, known: TypedCredential | null = null): Promise<Cluster> {
    if (credentialId === null) {
      this.#home ??= openCluster(this.#sources.home)
      return this.#home
    }
    const credential = known ?? (await readCredential(this.#sources.store.db, credentialId))
    if (!credential) throw new GroupMisconfiguredError(`Credential ${credentialId} no longer exists.`)
    return this.#opened(credential)
  }

  #opened(typed: TypedCredential): Cluster {
    const { id, inputs } = typed.credential
    const sealed = JSON.stringify(inputs)
    const latest = this.#latest.get(id)
    if (latest?.sealed === sealed) return latest.cluster
    const opened = openCluster(targetFromCredential(openInputs(this.#sources.keyring, typed)))
    // Opening connects to nothing, so an equal one that is in use already is simply taken instead.
    const cluster = this.#open.get(opened.connectionKey) ?? opened
    this.#open.set(cluster.connectionKey, cluster)
    this.#latest.set(id, { sealed, cluster })
    return cluster
  }
}
