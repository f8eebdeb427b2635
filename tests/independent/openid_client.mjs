// openid-client (npm) as a relying party: it knows the issuer, registers itself, and does everything by its own means.
import assert from 'node:assert/strict'
import * as oidc from 'openid-client'
import { keyPair } from './keys.mjs'
import { keep, refusal, run, send, settings } from './party.mjs'

const CALLBACK = 'https://app.example.com/callback'
const GOODBYE = 'https://app.example.com/'

async function register(metadata = {}, authentication) {
  const wanted = {
    client_name: 'openid-client',
    redirect_uris: [CALLBACK],
    post_logout_redirect_uris: [GOODBYE],
    grant_types: ['authorization_code', 'refresh_token'],
    response_types: ['code'],
    ...metadata,
  }
  return oidc.dynamicClientRegistration(new URL(settings.issuer), wanted, authentication)
}

async function authorize(config, parameters = {}, choice = {}) {
  const checks = {
    pkceCodeVerifier: oidc.randomPKCECodeVerifier(),
    expectedNonce: oidc.randomNonce(),
    expectedState: oidc.randomState(),
    idTokenExpected: true,
  }
  const address = oidc.buildAuthorizationUrl(config, {
    redirect_uri: CALLBACK,
    scope: 'openid email',
    code_challenge: await oidc.calculatePKCECodeChallenge(checks.pkceCodeVerifier),
    code_challenge_method: 'S256',
    nonce: checks.expectedNonce,
    state: checks.expectedState,
    ...parameters,
  })
  return { answer: await send(address, choice), checks }
}

async function signIn(config, parameters = {}, more = {}) {
  const { answer, checks } = await authorize(config, parameters)
  return keep(await oidc.authorizationCodeGrant(config, answer, { ...checks, ...more }))
}

const userInfo = (config, tokens) => oidc.fetchUserInfo(config, tokens.access_token, tokens.claims().sub)
const headerOf = (token) => JSON.parse(Buffer.from(token.split('.')[0], 'base64url'))

await run({
  async recipe() {
    const recipe = await import('./recipe_openid_client.mjs')
    const session = {}
    const answer = await send(await recipe.startLogin(session))
    await recipe.finishLogin(session, new URL(answer.url))
    keep(session.tokens)
    const first = session.tokens
    await recipe.refresh(session)
    keep(session.tokens)
    assert.notEqual(session.tokens.refresh_token, first.refresh_token)
    const profile = await recipe.profile(session)
    assert.equal(profile.sub, session.subject)
    const landed = (await send(recipe.logout(session))).url
    return { profile, landed, after: await refusal(() => recipe.profile({ ...session, tokens: first })) }
  },

  // Code with PKCE and nonce, refresh, userinfo and sign-out, in each way of authenticating.
  async everyday() {
    const authentications = {
      client_secret_basic: (secret) => oidc.ClientSecretBasic(secret),
      client_secret_post: (secret) => oidc.ClientSecretPost(secret),
      none: () => oidc.None(),
    }
    const registered = await register({ token_endpoint_auth_method: settings.method })
    const { client_id, client_secret } = registered.clientMetadata()
    const authentication = authentications[settings.method](client_secret)
    const config = await oidc.discovery(new URL(settings.issuer), client_id, client_secret, authentication)
    const tokens = await signIn(config)
    const profile = await userInfo(config, tokens)
    const refreshed = keep(await oidc.refreshTokenGrant(config, tokens.refresh_token))
    assert.notEqual(refreshed.refresh_token, tokens.refresh_token)
    assert.equal(refreshed.claims().sub, tokens.claims().sub)
    const address = oidc.buildEndSessionUrl(config, {
      id_token_hint: refreshed.id_token,
      post_logout_redirect_uri: GOODBYE,
      state: 'bye',
    })
    const landed = (await send(address)).url
    return { profile, landed, after: await refusal(() => oidc.refreshTokenGrant(config, refreshed.refresh_token)) }
  },

  // ID tokens and userinfo signed as the client registered; the library refuses any other algorithm.
  async signed() {
    const config = await register({
      id_token_signed_response_alg: settings.algorithm,
      userinfo_signed_response_alg: settings.algorithm,
    })
    oidc.enableNonRepudiationChecks(config)
    const tokens = await signIn(config)
    const profile = await userInfo(config, tokens)
    return { algorithm: headerOf(tokens.id_token).alg, profile }
  },

  async private_key_jwt() {
    const { privateKey, jwks } = await keyPair(settings.algorithm)
    const metadata = {
      token_endpoint_auth_method: 'private_key_jwt',
      token_endpoint_auth_signing_alg: settings.algorithm,
      jwks,
    }
    const config = await register(metadata, oidc.PrivateKeyJwt(privateKey))
    const tokens = await signIn(config)
    const refreshed = keep(await oidc.refreshTokenGrant(config, tokens.refresh_token))
    const stranger = await keyPair(settings.algorithm)
    const { client_id } = config.clientMetadata()
    const forger = new oidc.Configuration(
      config.serverMetadata(),
      client_id,
      undefined,
      oidc.PrivateKeyJwt({ ...stranger.privateKey, kid: privateKey.kid }),
    )
    const forged = await refusal(() => oidc.refreshTokenGrant(forger, refreshed.refresh_token))
    keep(await oidc.refreshTokenGrant(config, refreshed.refresh_token))
    const asked = await oidc.tokenIntrospection(config, refreshed.refresh_token)
    await oidc.tokenRevocation(config, refreshed.refresh_token)
    return { forged, asked, profile: await refusal(() => userInfo(config, tokens)) }
  },

  async revocation_and_introspection() {
    const config = await register()
    const tokens = await signIn(config)
    const before = await oidc.tokenIntrospection(config, tokens.refresh_token)
    await oidc.tokenRevocation(config, tokens.access_token, { token_type_hint: 'access_token' })
    const deadAccess = await refusal(() => userInfo(config, tokens))
    const refreshed = keep(await oidc.refreshTokenGrant(config, tokens.refresh_token))
    await oidc.tokenRevocation(config, refreshed.refresh_token, { token_type_hint: 'refresh_token' })
    const after = await oidc.tokenIntrospection(config, refreshed.refresh_token)
    const deadRefresh = await refusal(() => oidc.refreshTokenGrant(config, refreshed.refresh_token))
    await oidc.tokenRevocation(config, 'never-was-a-token')
    return { before, after, deadAccess, deadRefresh }
  },

  // What a protected resource asks about a token that a client brought.
  async introspection_by_a_resource() {
    const config = await oidc.discovery(new URL(settings.issuer), settings.clientId, settings.clientSecret)
    const tokens = await signIn(config, { scope: 'openid notes:read', resource: settings.audience })
    const resource = await oidc.discovery(new URL(settings.issuer), settings.resourceId, settings.resourceSecret)
    const answer = await oidc.tokenIntrospection(resource, tokens.access_token)
    assert.equal(answer.sub, tokens.claims().sub)
    const stranger = await register()
    return { answer, stranger: await oidc.tokenIntrospection(stranger, tokens.access_token) }
  },

  async claims_parameter() {
    const config = await register()
    const wanted = {
      userinfo: { name: { essential: true } },
      id_token: { email: null, auth_time: { essential: true } },
    }
    const tokens = await signIn(config, { scope: 'openid', claims: JSON.stringify(wanted) }, { maxAge: 600 })
    return { profile: await userInfo(config, tokens), claims: tokens.claims() }
  },

  // The answer comes as a form, errors too; the library reads the request that the form makes.
  async form_post() {
    const config = await register()
    const refused = await authorize(config, { response_mode: 'form_post', prompt: 'none' })
    const refusedAs = await refusal(() => oidc.authorizationCodeGrant(config, refused.answer, refused.checks))
    const { answer, checks } = await authorize(config, { response_mode: 'form_post' })
    const tokens = keep(await oidc.authorizationCodeGrant(config, answer.clone(), checks))
    return { method: answer.method, url: answer.url, refused: refusedAs, profile: await userInfo(config, tokens) }
  },

  async silence() {
    const config = await register()
    const early = await authorize(config, { prompt: 'none' })
    const refused = await refusal(() => oidc.authorizationCodeGrant(config, early.answer, early.checks))
    const first = await signIn(config, { max_age: '600' }, { maxAge: 600 })
    const hint = { prompt: 'none', id_token_hint: first.id_token, max_age: '600' }
    const second = await signIn(config, hint, { maxAge: 600 })
    assert.equal(second.claims().sub, first.claims().sub)
    assert.equal(second.claims().auth_time, first.claims().auth_time)
    return { refused }
  },

  async cancelled() {
    const config = await register()
    const { answer, checks } = await authorize(config, {}, { cancel: true })
    return { refused: await refusal(() => oidc.authorizationCodeGrant(config, answer, checks)) }
  },

  // Every refusal reaches the library's caller as the error that its specification names.
  async refusals() {
    const config = await register()
    const { client_id } = config.clientMetadata()
    const { answer, checks } = await authorize(config)
    const wrongVerifier = { ...checks, pkceCodeVerifier: oidc.randomPKCECodeVerifier() }
    const impostor = new oidc.Configuration(config.serverMetadata(), client_id, 'not-the-secret')
    const found = {
      verifier: await refusal(() => oidc.authorizationCodeGrant(config, answer, wrongVerifier)),
      secret: await refusal(() => oidc.authorizationCodeGrant(impostor, answer, checks)),
    }
    const tokens = keep(await oidc.authorizationCodeGrant(config, answer, checks))
    found.scope = await refusal(() => oidc.refreshTokenGrant(config, tokens.refresh_token, { scope: 'openid phone' }))
    found.grant = await refusal(() => oidc.genericGrantRequest(config, 'password', { username: 'a', password: 'b' }))
    found.token = await refusal(() => oidc.refreshTokenGrant(config, 'never-was-a-token'))
    found.profile = await refusal(() => oidc.fetchUserInfo(config, 'never-was-a-token', oidc.skipSubjectCheck))
    const odd = await authorize(config, { response_type: 'code id_token' })
    found.response = await refusal(() => oidc.authorizationCodeGrant(config, odd.answer, odd.checks))
    const object = await authorize(config, { request: 'e30.e30.' })
    found.object = await refusal(() => oidc.authorizationCodeGrant(config, object.answer, object.checks))
    found.registration = await refusal(() => register({ redirect_uris: [`${CALLBACK}#fragment`] }))
    return found
  },
})
