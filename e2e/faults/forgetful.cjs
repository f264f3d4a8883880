// Preloaded into a worker: keeps the certificate's key in memory only, as a system without key-before-finalize does.
const path = require('node:path');
const stores = require(path.resolve(__dirname, '../../packages/db/dist/order-store.js'));
const { createKeyMaker } = require(path.resolve(__dirname, '../../packages/acme/dist/index.js'));

const { createOrderStore } = stores;
stores.createOrderStore = (...args) => {
  const store = createOrderStore(...args);
  const keys = new Map();
  return {
    ...store,
    advance(lease, to, change) {
      if (change.keyAndCsr) keys.set(lease.order.id, change.keyAndCsr);
      return store.advance(lease, to, change);
    },
    async keyAndCsr(lease) {
      const { id, names, keyType } = lease.order;
      if (!keys.has(id)) keys.set(id, await createKeyMaker().keyAndCsr(names, keyType));
      return keys.get(id);
    },
  };
};
