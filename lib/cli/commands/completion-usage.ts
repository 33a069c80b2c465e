import type { Usage } from './usage.js'

export const usage: Usage = {
  name: 'completion',
  text: `Usage:
    nanocat completion bash|zsh|fish

Prints a script that completes command lines of nanocat. To have it in every shell, add to
 ~/.bashrc               source <(nanocat completion bash)
 ~/.zshrc                source <(nanocat completion zsh)
 ~/.config/fish/config.fish
                         nanocat completion fish | source
`,
}
