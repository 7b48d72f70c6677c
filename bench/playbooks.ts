/** What the benches let Ansible do; the same text is run by Mayfly and by the raw pod it is compared with. */

/** One task that does nothing: what is left is the platform. */
export const tinyPlaybook = `- hosts: all
  gather_facts: false
  tasks:
    - name: nothing
      ansible.builtin.command: "true"
`

/** Twelve seconds of work that costs no CPU, as waiting for machines does. */
export const longPlaybook = `- hosts: all
  gather_facts: false
  tasks:
    - name: work
      ansible.builtin.command: sleep 1
      loop: "{{ range(12) | list }}"
`

/** Forty lines, each with the time at which it was made; a line is printed as soon as its item is done. */
export const stampedPlaybook = `- hosts: all
  gather_facts: false
  tasks:
    - name: stamp
      ansible.builtin.debug:
        msg: "at={{ lookup('ansible.builtin.pipe', 'date +%s%3N') }}."
      loop: "{{ range(40) | list }}"
      loop_control:
        pause: 0.15
`

/** Shell command that runs a playbook without Mayfly. Base64, because \`printf\` and \`echo\` differ between shells. */
export function rawCommand(playbook: string): string[] {
  const encoded = Buffer.from(playbook).toString('base64')
  return [
    'sh',
    '-c',
    `echo ${encoded} | base64 -d >/tmp/p.yml && exec ansible-playbook -i localhost, -c local /tmp/p.yml`,
  ]
}
