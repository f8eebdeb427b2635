// oauth4webapi (npm) as a relying party and as an API: every message built and judged one by one.
import assert from 'node:assert/strict'
import * as oauth from 'oauth4webapi'
import { keyPair, publish } from './keys.mjs'
import { keep, refusal, run, send, settings } from './party.mjs'

const CALLBACK = 'https://app.example.com/callback'
const GOODBYE = 'https://app.example.com/'
const issuer = new URL(settings.issuer)
const discover = async (options) =>
  oauth.processDiscoveryResponse(issuer, await oauth.discoveryRequest(issuer, options))
const provider = await discover()

async function register(metadata = {}) {
  const wanted = {
    client_name: 'oauth4webapi',
    redirect_uris: [CALLBACK],
    post_logout_redirect_uris: [GOODBYE],
    grant_types: ['authorization_code', 'refresh_token'],
    response_types: ['code'],
    ...metadata,
  }
  const response = await oauth.dynamicClientRegistrationRequest(provider, wanted)
  return oauth.processDynamicClientRegistrationResponse(response)
}

// One client, and the person's way through it.
class Party {
  constructor(client, authentication = oauth.ClientSecretBasic(client.client_secret)) {
    Object.assign(this, { client, authentication })
  }

  async authorize(parameters = {}, choice = {}) {
    const remembered = {
      verifier: oauth.generateRandomCodeVerifier(),
      nonce: oauth.generateRandomNonce(),
      state: oauth.generateRandomState(),
    }
    const address = new URL(provider.authorization_endpoint)
    address.search = new URLSearchParams({
      client_id: this.client.client_id,
      redirect_uri: CALLBACK,
      response_type: 'code',
      scope: 'openid email',
      code_challenge: await oauth.calculatePKCECodeChallenge(remembered.verifier),
      code_challenge_method: 'S256',
      nonce: remembered.nonce,
      state: remembered.state,
      ...parameters,
    })
    const request = await send(address, choice)
    const answer = request.method === 'POST' ? new URLSearchParams(await request.text()) : new URL(request.url)
    return { ...remembered, answer, request }
  }

  validate({ answer, state }) {
    return oauth.validateAuthResponse(provider, this.client, answer, state)
  }

  async redeem(flow, { verifier = flow.verifier, maxAge } = {}) {
    const code = this.validate(flow)
    const { client, authentication } = this
    const response = await oauth.authorizationCodeGrantRequest(
      provider, client, authentication, code, CALLBACK, verifier,
    )
    const expected = { expectedNonce: flow.nonce, requireIdToken: true, maxAge }
    const tokens = await oauth.processAuthorizationCodeResponse(provider, client, response, expected)
    await oauth.validateApplicationLevelSignature(provider, response)
    return keep({ ...tokens, claims: oauth.getValidatedIdTokenClaims(tokens) })
  }

  async signIn(parameters, more) {
    return this.redeem(await this.authorize(parameters), more)
  }

  async refresh(refreshToken, additionalParameters) {
    const { client, authentication } = this
    const options = { additionalParameters }
    const response = await oauth.refreshTokenGrantRequest(provider, client, authentication, refreshToken, options)
    return keep(await oauth.processRefreshTokenResponse(provider, client, response))
  }

  async profile({ access_token, claims }, subject = claims?.sub) {
    const response = await oauth.userInfoRequest(provider, this.client, access_token)
    return oauth.processUserInfoResponse(provider, this.client, subject, response)
  }

  async introspect(token) {
    const response = await oauth.introspectionRequest(provider, this.client, this.authentication, token)
    return oauth.processIntrospectionResponse(provider, this.client, response)
  }

  async revoke(token) {
    const response = await oauth.revocationRequest(provider, this.client, this.authentication, token)
    return oauth.processRevocationResponse(response)
  }
}

const headerOf = (token) => JSON.parse(Buffer.from(token.split('.')[0], 'base64url'))

await run({
  // Both discovery documents, and the keys behind them.
  async metadata() {
    assert.deepEqual(await discover({ algorithm: 'oauth2' }), provider)
    const { keys } = await (await fetch(provider.jwks_uri)).json()
    return { metadata: provider, kids: keys.map((key) => key.kid) }
  },

  async recipe() {
    const recipe = await import('./recipe_oauth4webapi.mjs')
    const session = {}
    const answer = await send(await recipe.startLogin(session))
    await recipe.finishLogin(session, new URL(answer.url))
    keep(session.tokens)
    const first = session.tokens
    await recipe.refresh(session)
    keep(session.tokens)
    assert.notEqual(session.tokens.refresh_token, first.refresh_token)
    const headers = { authorization: `Bearer ${session.tokens.access_token}` }
    const claims = await recipe.authorize(new Request('https://notes.example.com/', { headers }))
    assert.equal(claims.sub, session.subject)
    const profile = await recipe.profile(session)
    const landed = (await send(recipe.logout(session))).url
    return { profile, landed, claims, after: await refusal(() => recipe.profile(session)) }
  },

  // Code with PKCE and nonce, refresh, userinfo and sign-out, in each way of authenticating.
  async everyday() {
    const client = await register({ token_endpoint_auth_method: settings.method })
    const authentications = {
      client_secret_basic: () => oauth.ClientSecretBasic(client.client_secret),
      client_secret_post: () => oauth.ClientSecretPost(client.client_secret),
      none: () => oauth.None(),
    }
    const party = new Party(client, authentications[settings.method]())
    const tokens = await party.signIn()
    const profile = await party.profile(tokens)
    const refreshed = await party.refresh(tokens.refresh_token)
    assert.notEqual(refreshed.refresh_token, tokens.refresh_token)
    const address = new URL(provider.end_session_endpoint)
    address.search = new URLSearchParams({
      id_token_hint: refreshed.id_token,
      post_logout_redirect_uri: GOODBYE,
      state: 'bye',
    })
    const landed = (await send(address)).url
    return { profile, landed, after: await refusal(() => party.refresh(refreshed.refresh_token)) }
  },

  // ID tokens and userinfo signed as the client registered, the signatures verified.
  async signed() {
    const client = await register({
      id_token_signed_response_alg: settings.algorithm,
      userinfo_signed_response_alg: settings.algorithm,
    })
    const party = new Party(client)
    const tokens = await party.signIn()
    const response = await oauth.userInfoRequest(provider, client, tokens.access_token)
    const copy = response.clone()
    const profile = await oauth.processUserInfoResponse(provider, client, tokens.claims.sub, response)
    await oauth.validateApplicationLevelSignature(provider, response)
    return { algorithm: headerOf(tokens.id_token).alg, userinfo: headerOf(await copy.text()).alg, profile }
  },

  async private_key_jwt() {
    const { privateKey, jwks } = await keyPair(settings.algorithm)
    const client = await register({
      token_endpoint_auth_method: 'private_key_jwt',
      token_endpoint_auth_signing_alg: settings.algorithm,
      jwks,
    })
    const party = new Party(client, oauth.PrivateKeyJwt(privateKey))
    const tokens = await party.signIn()
    const stranger = await keyPair(settings.algorithm)
    const forger = new Party(client, oauth.PrivateKeyJwt({ ...stranger.privateKey, kid: privateKey.kid }))
    const forged = await refusal(() => forger.refresh(tokens.refresh_token))
    const refreshed = await party.refresh(tokens.refresh_token)
    const asked = await party.introspect(refreshed.refresh_token)
    await party.revoke(refreshed.refresh_token)
    return { forged, asked, profile: await refusal(() => party.profile(tokens)) }
  },

  // The client publishes its key, so that it may change it without registering again.
  async published_key() {
    const { privateKey, jwks } = await keyPair('ES256')
    const jwks_uri = await publish(jwks, settings.certificate)
    const client = await register({ token_endpoint_auth_method: 'private_key_jwt', jwks_uri })
    const party = new Party(client, oauth.PrivateKeyJwt(privateKey))
    return { profile: await party.profile(await party.signIn()) }
  },

  async revocation_and_introspection() {
    const party = new Party(await register())
    const tokens = await party.signIn()
    const before = await party.introspect(tokens.refresh_token)
    await party.revoke(tokens.access_token)
    const deadAccess = await refusal(() => party.profile(tokens))
    const refreshed = await party.refresh(tokens.refresh_token)
    await party.revoke(refreshed.refresh_token)
    const after = await party.introspect(refreshed.refresh_token)
    const deadRefresh = await refusal(() => party.refresh(refreshed.refresh_token))
    await party.revoke('never-was-a-token')
    return { before, after, deadAccess, deadRefresh }
  },

  async claims_parameter() {
    const party = new Party(await register())
    const wanted = {
      userinfo: { name: { essential: true } },
      id_token: { email: null, auth_time: { essential: true } },
    }
    const tokens = await party.signIn({ scope: 'openid', claims: JSON.stringify(wanted) }, { maxAge: 600 })
    return { profile: await party.profile(tokens), claims: tokens.claims }
  },

  async form_post() {
    const party = new Party(await register())
    const early = await party.authorize({ response_mode: 'form_post', prompt: 'none' })
    const refused = await refusal(() => party.validate(early))
    const flow = await party.authorize({ response_mode: 'form_post' })
    const { method, url } = flow.request
    return { method, url, refused, profile: await party.profile(await party.redeem(flow)) }
  },

  async silence() {
    const party = new Party(await register())
    const early = await party.authorize({ prompt: 'none' })
    const refused = await refusal(() => party.validate(early))
    const first = await party.signIn({ max_age: '600' }, { maxAge: 600 })
    const hint = { prompt: 'none', id_token_hint: first.id_token, max_age: '600' }
    const second = await party.signIn(hint, { maxAge: 600 })
    assert.equal(second.claims.sub, first.claims.sub)
    assert.equal(second.claims.auth_time, first.claims.auth_time)
    return { refused }
  },

  async cancelled() {
    const party = new Party(await register())
    const flow = await party.authorize({}, { cancel: true })
    return { refused: await refusal(() => party.validate(flow)) }
  },

  // An authorization code that somebody sends again, without its verifier.
  async theft() {
    const party = new Party(await register())
    const flow = await party.authorize()
    const tokens = await party.redeem(flow)
    const stolen = await refusal(() => party.redeem(flow, { verifier: oauth.generateRandomCodeVerifier() }))
    const access = await refusal(() => party.profile(tokens))
    return { stolen, access, refresh: await refusal(() => party.refresh(tokens.refresh_token)) }
  },

  // Every refusal reaches the caller as the error that its specification names.
  async refusals() {
    const client = await register()
    const party = new Party(client)
    const impostor = new Party(client, oauth.ClientSecretPost('not-the-secret'))
    const flow = await party.authorize()
    const wrong = { verifier: oauth.generateRandomCodeVerifier() }
    const found = {
      state: await refusal(() => party.validate({ ...flow, state: 'another' })),
      verifier: await refusal(() => party.redeem(flow, wrong)),
      secret: await refusal(() => impostor.redeem(flow)),
    }
    const tokens = await party.redeem(flow)
    found.scope = await refusal(() => party.refresh(tokens.refresh_token, { scope: 'openid phone' }))
    found.resource = await refusal(() => party.refresh(tokens.refresh_token, { resource: 'https://nobody.example' }))
    found.revocation = await refusal(() => impostor.revoke(tokens.refresh_token))
    found.introspection = await refusal(() => impostor.introspect(tokens.refresh_token))
    found.profile = await refusal(() => party.profile({ access_token: 'never-was-a-token' }, oauth.skipSubjectCheck))
    const object = await party.authorize({ request: 'e30.e30.' })
    found.object = await refusal(() => party.validate(object))
    const claims = await party.authorize({ claims: '{"userinfo":[]}' })
    found.claims = await refusal(() => party.validate(claims))
    found.registration = await refusal(() => register({ token_endpoint_auth_method: 'private_key_jwt' }))
    found.afterwards = await party.profile(tokens)
    return found
  },

  async client_credentials() {
    const client = { client_id: settings.clientId }
    const authentication = oauth.ClientSecretBasic(settings.clientSecret)
    const parameters = { scope: 'notes:read', resource: settings.audience }
    const response = await oauth.clientCredentialsGrantRequest(provider, client, authentication, parameters)
    const tokens = keep(await oauth.processClientCredentialsResponse(provider, client, response))
    const headers = { authorization: `Bearer ${tokens.access_token}` }
    const request = new Request(settings.audience, { headers })
    const claims = await oauth.validateJwtAccessToken(provider, request.clone(), settings.audience)
    const elsewhere = await refusal(() => oauth.validateJwtAccessToken(provider, request, `${settings.audience}/x`))
    return { claims, elsewhere }
  },
})
