/** Which API server to talk to, and as whom. */
export type ClusterTarget =
  | { kind: 'bearer'; host: string; token: string; caCert?: string; verifyTls: boolean }
  | { kind: 'kubeconfig'; path?: string; context?: string }
  | { kind: 'in-cluster' }

/** Target of a decrypted `kubernetes_bearer_token` credential (awx.md §1.5). Throws CredentialIncompleteError, InvalidCaError. */
export function targetFromCredential(inputs: Record<string, unknown>): ClusterTarget {
  return { kind: 'bearer', host: String(inputs.host), token: String(inputs.bearer_token), verifyTls: true }
}
