import { createJobQueue, type Producer } from '@certwright/jobs';
import { createTestDatabase, type TestDatabase } from '@certwright/testing';
import express from 'express';
import request from 'supertest';
import { createDashboard } from './bull-board';

const PASSWORD = 'not-a-real-one';
const ORDER_ID = '01a208bb-0000-7000-8000-000000000001';
const OPERATOR = `Basic ${Buffer.from(`operator:${PASSWORD}`).toString('base64')}`;

describe('the dashboard', () => {
  let testDatabase: TestDatabase;
  let producer: Producer;

  beforeAll(async () => {
    testDatabase = await createTestDatabase();
    producer = createJobQueue({ kind: 'postgres', url: testDatabase.url }, { warn: () => undefined });
    const strange = { tenantId: 'tenant-1', orderId: ORDER_ID, requestId: 'request-1', apiToken: 'hunter2' };
    await producer.queue('place-order').add('place-order', strange, { delay: 3_600_000 });
  });
  afterAll(async () => {
    await producer.close();
    await testDatabase.drop();
  });

  const start = ({ allowWrites }: { allowWrites: boolean }) =>
    request(
      express().use('/admin/queues', createDashboard({ queues: producer.queues, password: PASSWORD, allowWrites })),
    );
  const isPaused = () => producer.queue('place-order').isPaused();
  const pause = '/admin/queues/api/queues/place-order/pause';

  it.each([
    ['nobody', undefined],
    ['the operator with another password', 'operator:wrong'],
    ['the operator without a password', 'operator:'],
    ['somebody else with the password', `admin:${PASSWORD}`],
    ['a user whose name holds the colon', `operator:${PASSWORD}:`],
  ])('lets %s see nothing, not even that a path is missing', async (_who, credentials) => {
    for (const path of ['', '/api/queues', '/static/none.js', '/nowhere']) {
      const call = start({ allowWrites: true }).get(`/admin/queues${path}`);
      const authorization = credentials && `Basic ${Buffer.from(credentials).toString('base64')}`;
      const reply = await (authorization ? call.set('Authorization', authorization) : call);
      expect(reply.status).toBe(401);
      expect(reply.headers['www-authenticate']).toMatch(/^Basic/);
      expect(reply.text).toBe('');
    }
  });

  it('shows the ids that a job carries, and nothing else that may have got into it', async () => {
    const reply = await start({ allowWrites: false })
      .get('/admin/queues/api/queues?activeQueue=place-order&status=delayed')
      .set('Authorization', OPERATOR)
      .expect(200);
    expect(reply.text).toContain(ORDER_ID);
    expect(reply.text).toContain('request-1');
    expect(reply.text).not.toContain('hunter2');
  });

  it('changes nothing where writes are off', async () => {
    const reply = await start({ allowWrites: false }).put(pause).set('Authorization', OPERATOR);
    expect(reply.status).toBeGreaterThanOrEqual(400);
    expect(await isPaused()).toBe(false);
  });

  it.each(['https://elsewhere.example', 'null', 'not a URL'])('refuses a write from a page of %s', async (origin) => {
    await start({ allowWrites: true }).put(pause).set('Authorization', OPERATOR).set('Origin', origin).expect(403);
    expect(await isPaused()).toBe(false);
  });

  it('lets the operator write from its own page where writes are on', async () => {
    const call = (path: string) =>
      start({ allowWrites: true })
        .put(path)
        .set('Authorization', OPERATOR)
        .set('Host', 'own.example')
        .set('Origin', 'http://own.example');
    await call(pause).expect(200);
    expect(await isPaused()).toBe(true);
    await call(pause.replace('pause', 'resume')).expect(200);
    expect(await isPaused()).toBe(false);
  });

  it('sends a policy under which nothing is loaded from outside', async () => {
    const reply = await start({ allowWrites: false }).get('/admin/queues').set('Authorization', OPERATOR);
    const policy = reply.headers['content-security-policy'];
    expect(policy).toContain("font-src 'self'");
    expect(policy).toContain("frame-ancestors 'none'");
    expect(policy).not.toMatch(/https?:|\*/);
  });
});
