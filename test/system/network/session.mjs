// One session, step by step: {send: 'PASV'} answers with the reply; {retrieve: path, port} with bytes and hash of the file;
// {listen: true} with a port of this host; {retrieveActive: path} with the file and the server's source port.
import { answer, FtpsClient, questions, sha256 } from './ftps.mjs';

const client = new FtpsClient(JSON.parse(process.argv[2]));
answer(await client.open());
let listening;
for await (const question of questions()) {
  try {
    if (question.send) answer(await client.send(question.send));
    else if (question.listen) {
      listening = await client.listen();
      answer(listening.port);
    } else {
      const opening = await client.send(`RETR ${question.retrieve ?? question.retrieveActive}`);
      if (!opening.startsWith('150')) answer({ reply: opening });
      else {
        const { data, from } = question.retrieve ? { data: await client.data(question.port) } : await listening.arrived;
        const file = await sha256(data);
        answer({ ...file, from, reply: await client.reply() });
      }
    }
  } catch (error) {
    answer({ error: error.message });
  }
}
client.close();
