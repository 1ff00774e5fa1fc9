/**
 * Somebody with access to the disk who swaps a folder, and a file in another folder, for links that lead out of the home, back and
 * forth as fast as it goes. usage: node swapper.cjs HOME OUTSIDE. Ends on SIGTERM and prints how often it has swapped.
 */
const { renameSync, symlinkSync, unlinkSync } = require('node:fs');
const { join } = require('node:path');

const [home, outside] = process.argv.slice(2);
const pairs = [
  [join(home, 'folder'), outside],
  [join(home, 'plain', 'file.txt'), join(outside, 'file.txt')],
];
let swaps = 0;
let going = true;
process.on('SIGTERM', () => {
  going = false;
});
function turn() {
  for (let count = 0; count < 50 && going; count += 1) {
    for (const [path, target] of pairs) {
      try {
        renameSync(path, `${path}.kept`);
        symlinkSync(target, path);
        swaps += 1;
        unlinkSync(path);
        renameSync(`${path}.kept`, path);
      } catch {
        // The server has put something into the place meanwhile, as it may: begin again with what is there.
        try {
          renameSync(`${path}.kept`, path);
        } catch {
          // it is where it belongs
        }
      }
    }
  }
  if (going) setImmediate(turn);
  else process.stdout.write(`${swaps}\n`);
}
turn();
process.stdout.write('swapping\n');
