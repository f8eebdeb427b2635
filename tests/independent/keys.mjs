// A client's own key for private_key_jwt, made afresh, and its public part as it registers or publishes it.
import { readFileSync } from 'node:fs'
import { createServer } from 'node:https'

const ALGORITHMS = {
  RS256: { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256', modulusLength: 2048, publicExponent: new Uint8Array([1, 0, 1]) },
  PS256: { name: 'RSA-PSS', hash: 'SHA-256', modulusLength: 2048, publicExponent: new Uint8Array([1, 0, 1]) },
  ES256: { name: 'ECDSA', namedCurve: 'P-256' },
  Ed25519: { name: 'Ed25519' },
}

export async function keyPair(algorithm) {
  const pair = await crypto.subtle.generateKey(ALGORITHMS[algorithm], true, ['sign', 'verify'])
  const kid = crypto.randomUUID()
  const { key_ops, ext, ...jwk } = await crypto.subtle.exportKey('jwk', pair.publicKey)
  return {
    privateKey: { key: pair.privateKey, kid },
    jwks: { keys: [{ ...jwk, kid, alg: algorithm, use: 'sig' }] },
  }
}

// Serve a key set over HTTPS; returns its address.
export async function publish(jwks, { chain, key }) {
  const server = createServer({ cert: readFileSync(chain), key: readFileSync(key) }, (_, answer) => {
    answer.setHeader('content-type', 'application/jwk-set+json').end(JSON.stringify(jwks))
  })
  await new Promise((listening) => server.listen(0, '127.0.0.1', listening))
  return `https://127.0.0.1:${server.address().port}/jwks`
}
