// The usual Redis adapter of oidc-provider's users: values as JSON, one MULTI for each write, a list of keys per grant.
import { Redis } from 'ioredis';

const GRANTABLE = new Set(['AccessToken', 'AuthorizationCode', 'RefreshToken']);
const CONSUMABLE = new Set(['AuthorizationCode', 'RefreshToken']);

class RedisAdapter {
  constructor(model, redis) {
    this.model = model;
    this.redis = redis;
    this.consumable = CONSUMABLE.has(model);
  }

  key(id) {
    return `${this.model}:${id}`;
  }

  async upsert(id, payload, expiresIn) {
    const key = this.key(id);
    const text = JSON.stringify(payload);
    const steps = this.redis.multi();
    if (this.consumable) steps.hset(key, { payload: text });
    else steps.set(key, text);
    if (expiresIn) steps.expire(key, expiresIn);
    if (GRANTABLE.has(this.model) && payload.grantId) {
      const members = `grant:${payload.grantId}`;
      steps.rpush(members, key);
      if (expiresIn > await this.redis.ttl(members)) steps.expire(members, expiresIn);
    }
    if (payload.uid) steps.set(`uid:${payload.uid}`, id, 'EX', expiresIn);
    await steps.exec();
  }

  async find(id) {
    if (!this.consumable) {
      const text = await this.redis.get(this.key(id));
      return text ? JSON.parse(text) : undefined;
    }
    const { payload, consumed } = await this.redis.hgetall(this.key(id));
    if (!payload) return undefined;
    return consumed ? { ...JSON.parse(payload), consumed: Number(consumed) } : JSON.parse(payload);
  }

  async findByUid(uid) {
    const id = await this.redis.get(`uid:${uid}`);
    return id ? this.find(id) : undefined;
  }

  async consume(id) {
    await this.redis.hset(this.key(id), 'consumed', Math.floor(Date.now() / 1000));
  }

  async destroy(id) {
    await this.redis.del(this.key(id));
  }

  async revokeByGrantId(grantId) {
    const members = `grant:${grantId}`;
    await this.redis.del(members, ...await this.redis.lrange(members, 0, -1));
  }
}

export function adapter(url) {
  const redis = new Redis(url, { keyPrefix: 'oidc:' });
  return (model) => new RedisAdapter(model, redis);
}
