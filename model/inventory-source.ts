/** What an inventory source reads, in AWX's words and order. */
export const inventorySourceChoices = [
  ['file', 'File, Directory or Script'],
  ['constructed', 'Template additional groups and hostvars at runtime'],
  ['scm', 'Sourced from a Project'],
  ['ec2', 'Amazon EC2'],
  ['gce', 'Google Compute Engine'],
  ['azure_rm', 'Microsoft Azure Resource Manager'],
  ['vmware', 'VMware vCenter'],
  ['satellite6', 'Red Hat Satellite 6'],
  ['openstack', 'OpenStack'],
  ['rhv', 'Red Hat Virtualization'],
  ['controller', 'Red Hat Ansible Automation Platform'],
  ['insights', 'Red Hat Insights'],
  ['terraform', 'Terraform State'],
  ['openshift_virtualization', 'OpenShift Virtualization'],
] as const satisfies [string, string][]

/** How hosts of a plugin are read where the source itself says nothing; paths as in `enabled_var`. */
export interface PluginSource {
  /** Full name of the inventory plugin; empty: the source's variables name it. */
  plugin: string
  /** Name of the file with its options: plugins look at it before they read. */
  file: string
  enabledVar?: string
  enabledValue?: string
  /** Where the identity is that a host keeps when it is renamed. */
  instanceIdVar?: string
  /** Namespace of the credential type that the service wants; null: none at all. */
  credential: string | null
}

/** Sources that are an inventory plugin, with AWX's defaults for each. */
export const pluginSources: Readonly<Record<string, PluginSource>> = {
  constructed: {
    plugin: 'constructed',
    file: 'constructed.yml',
    instanceIdVar: 'remote_tower_id',
    credential: null,
  },
  ec2: {
    plugin: 'amazon.aws.aws_ec2',
    file: 'aws_ec2.yml',
    enabledVar: 'ec2_state',
    enabledValue: 'running',
    instanceIdVar: 'instance_id',
    credential: 'aws',
  },
  gce: {
    plugin: 'google.cloud.gcp_compute',
    file: 'gcp_compute.yml',
    enabledVar: 'status',
    enabledValue: 'running',
    instanceIdVar: 'gce_id',
    credential: 'gce',
  },
  azure_rm: {
    plugin: 'azure.azcollection.azure_rm',
    file: 'azure_rm.yml',
    enabledVar: 'powerstate',
    enabledValue: 'running',
    instanceIdVar: 'id',
    credential: 'azure_rm',
  },
  vmware: {
    plugin: 'community.vmware.vmware_vm_inventory',
    file: 'vmware_vm_inventory.yml',
    enabledVar: 'guest.gueststate',
    enabledValue: 'running',
    instanceIdVar: 'config.instanceUuid,config.instanceuuid',
    credential: 'vmware',
  },
  satellite6: {
    plugin: 'theforeman.foreman.foreman',
    file: 'foreman.yml',
    enabledVar: 'foreman_enabled,foreman.enabled',
    enabledValue: 'True',
    instanceIdVar: 'foreman_id,foreman.id',
    credential: 'satellite6',
  },
  openstack: {
    plugin: 'openstack.cloud.openstack',
    file: 'openstack.yml',
    enabledVar: 'status',
    enabledValue: 'ACTIVE',
    instanceIdVar: 'openstack.id',
    credential: 'openstack',
  },
  rhv: {
    plugin: 'ovirt.ovirt.ovirt',
    file: 'ovirt.yml',
    enabledVar: 'status',
    enabledValue: 'up',
    instanceIdVar: 'id',
    credential: 'rhv',
  },
  controller: {
    plugin: 'awx.awx.controller',
    file: 'controller.yml',
    enabledVar: 'remote_tower_enabled',
    enabledValue: 'true',
    instanceIdVar: 'remote_tower_id',
    credential: 'controller',
  },
  insights: {
    plugin: 'redhatinsights.insights.insights',
    file: 'insights.yml',
    instanceIdVar: 'insights_id',
    credential: 'insights',
  },
  terraform: { plugin: 'cloud.terraform.terraform_state', file: 'terraform_state.yml', credential: 'terraform' },
  openshift_virtualization: {
    plugin: 'kubevirt.core.kubevirt',
    file: 'kubevirt.yml',
    credential: 'kubernetes_bearer_token',
  },
}

/** Whether an update of such a source can be started: files are read by nobody but the command line. */
export function canUpdateSource({
  source,
  sourceProjectId,
}: {
  source: string
  sourceProjectId: number | null
}): boolean {
  return source === 'scm' ? sourceProjectId !== null : source in pluginSources
}
