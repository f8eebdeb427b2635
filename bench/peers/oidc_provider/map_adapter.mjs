// The package's own memory adapter over a Map: the LRU that it ships keeps 1,000 entries, too few for any load.
import MemoryAdapter from 'oidc-provider/lib/adapters/memory_adapter.js';

class Unbounded {
  #entries = new Map();

  get(key) {
    const entry = this.#entries.get(key);
    return entry && entry.until > Date.now() ? entry.value : undefined;
  }

  set(key, value, { maxAge = Infinity } = {}) {
    this.#entries.set(key, { value, until: Date.now() + maxAge });
  }

  delete(key) {
    this.#entries.delete(key);
  }
}

export function adapter() {
  const store = new Unbounded();
  return (model) => new MemoryAdapter(model, store);
}
