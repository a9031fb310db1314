// Serves PostGraphile over the bench's database, set up for speed: production mode, lists instead of connections, no node ids, no mutations, statements prepared once.
//   peer.mjs DATABASE_URL PROCESSES
import cluster from 'node:cluster';
import { createServer } from 'node:http';
import { postgraphile } from 'postgraphile';
import { makePgService } from 'postgraphile/adaptors/pg';
import { grafserv } from 'postgraphile/grafserv/node';
import { PostGraphileAmberPreset } from 'postgraphile/presets/amber';

const [url, processes] = process.argv.slice(2);

const preset = {
  extends: [PostGraphileAmberPreset],
  // The second hides what PostGraphile takes for unindexed: a foreign key of two columns whose first alone is indexed.
  disablePlugins: ['NodePlugin', 'PgIndexBehaviorsPlugin', 'MutationPayloadQueryPlugin', 'PgMutationCreatePlugin', 'PgMutationUpdateDeletePlugin'],
  schema: { defaultBehavior: '+list -connection', dontSwallowErrors: true },
  pgServices: [makePgService({ connectionString: url, schemas: ['public'], poolConfig: { max: 8 } })],
  grafserv: { graphqlPath: '/graphql', graphiql: false, websockets: false, watch: false },
  grafast: { explain: false },
};

async function serve(port) {
  const instance = postgraphile(preset).createServ(grafserv);
  const server = createServer();
  await instance.addTo(server);
  await instance.ready();
  await new Promise((done, failed) => server.once('error', failed).listen(port, '127.0.0.1', done));
  return server.address().port;
}

const ready = (port) => console.log(`listening on http://127.0.0.1:${port}`);

if (processes === '1') {
  ready(await serve(0));
} else if (cluster.isPrimary) {
  let waiting = Number(processes);
  cluster.on('message', (_, port) => { waiting -= 1; if (waiting === 0) ready(port); });
  cluster.on('exit', () => process.exit(1));
  for (let count = 0; count < Number(processes); count += 1) cluster.fork();
} else {
  process.send(await serve(0));
}
