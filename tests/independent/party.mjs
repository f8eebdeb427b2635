// What a relying party here needs of the test: its settings, and a person who goes where they are sent. One JSON
// message to a line, both ways.
import { createInterface } from 'node:readline'

const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]()
const say = (message) => process.stdout.write(`${JSON.stringify(message)}\n`)
const hear = async () => JSON.parse((await lines.next()).value)

export const settings = await hear()

// Send the person to an address; they sign in and agree where that is asked, or cancel. Returns where they were sent
// on, as a request: with a body when it was a form that sent them.
export async function send(address, { cancel = false } = {}) {
  say({ visit: String(address), cancel })
  const { landed, form } = await hear()
  if (form) return new Request(form.action, { method: 'POST', body: new URLSearchParams(form.fields) })
  return new Request(landed)
}

// Note what must not be found in any log.
export function keep(tokens) {
  say({ secrets: [tokens.access_token, tokens.refresh_token, tokens.id_token].filter(Boolean) })
  return tokens
}

// What became of a call that has to be refused: the error's own class, code and OAuth error.
export async function refusal(call) {
  try {
    await call()
  } catch (problem) {
    const { error, status, code } = problem
    return { type: problem.constructor.name, code, error, status }
  }
  throw new Error('it was not refused')
}

export async function run(flows) {
  try {
    say({ result: await flows[settings.flow]() })
  } catch (problem) {
    const { cause } = problem
    const answered = cause instanceof Response
    const said = answered ? `${cause.status} ${cause.url}: ${await cause.text()}` : JSON.stringify(cause)
    say({ failed: `${problem.stack}\ncause: ${said}` })
  }
  process.exit()
}
