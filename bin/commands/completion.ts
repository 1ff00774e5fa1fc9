/** `ftps completion bash|zsh|fish`: what the shell needs to complete commands and options, written from the commands themselves. */
import { Argument, Command } from 'commander';
import { say } from '../terminal/say';

/** A command that can be typed, and what may follow it. */
interface Place {
  /** Empty for `ftps` itself, else for example `user add`. */
  readonly path: string;
  readonly words: readonly string[];
}

function placesOf(command: Command, path: readonly string[] = []): Place[] {
  const commands = command.createHelp().visibleCommands(command);
  const options = command
    .createHelp()
    .visibleOptions(command)
    .flatMap(({ long }) => (long ? [long] : []));
  return [
    { path: path.join(' '), words: [...commands.map((one) => one.name()), ...options] },
    ...commands.flatMap((one) => placesOf(one, [...path, one.name()])),
  ];
}

/** Files are offered where no command or option fits: most arguments are files. */
function bash(places: readonly Place[]): string {
  return `_ftps() {
  local word path words
  path=""
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case "$word" in
      -*) ;;
      *) case " ${places.map(({ path }) => path.replaceAll(' ', '_')).join(' ')} " in *" \${path:+\${path}_}$word "*) path="\${path:+\${path}_}$word" ;; esac ;;
    esac
  done
  case "$path" in
${places.map(({ path, words }) => `    "${path.replaceAll(' ', '_')}") words="${words.join(' ')}" ;;`).join('\n')}
  esac
  COMPREPLY=($(compgen -W "$words" -- "\${COMP_WORDS[COMP_CWORD]}"))
}
complete -o default -F _ftps ftps
`;
}

function fish(places: readonly Place[]): string {
  const lines = places.flatMap(({ path, words }) => {
    const names = path.split(' ').filter(Boolean);
    const here = names.length === 0 ? '__fish_use_subcommand' : names.map((name) => `__fish_seen_subcommand_from ${name}`).join('; and ');
    return words.map((word) => `complete -c ftps -n '${here}' ${word.startsWith('--') ? `-l ${word.slice(2)}` : `-f -a ${word}`}`);
  });
  return `${lines.join('\n')}\n`;
}

const shells: Readonly<Record<string, (places: readonly Place[]) => string>> = {
  bash,
  zsh: (places) => `autoload -U +X bashcompinit && bashcompinit\n${bash(places)}`,
  fish,
};

export function completionCommand(): Command {
  return new Command('completion')
    .description('Prints what a shell needs to complete commands and options.')
    .addArgument(new Argument('<shell>').choices(Object.keys(shells)))
    .action((shell: string, _flags: object, command: Command) => {
      say(shells[shell]!(placesOf(command.parent!)));
    });
}
