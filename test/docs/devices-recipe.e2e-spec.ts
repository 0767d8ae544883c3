import { afterEach, describe, expect, it } from '@jest/globals';
import type { INestApplication, Type } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import supertest from 'supertest';
import { AppModule, RefusingModule } from '../../docs/examples/recipes/devices.js';
import { TestController } from '../support/test-app.js';

const running: INestApplication[] = [];
afterEach(async () => {
  await Promise.all(running.splice(0).map((app) => app.close()));
});

/** Signs people in on an app of the recipe. */
async function start(module: Type) {
  const built = await Test.createTestingModule({
    imports: [module],
    controllers: [TestController],
  }).compile();
  const app = built.createNestApplication();
  await app.init();
  running.push(app);
  const browser = () => supertest.agent(app.getHttpServer());
  return {
    browser,
    signedIn: async (user = 'ada', agent = 'Firefox') => {
      const person = browser();
      await person.post('/sign-in').set('User-Agent', agent).send({ user }).expect(200);
      return person;
    },
  };
}

describe('docs/recipes/devices.md', () => {
  it('a person sees their devices and signs out on one of them', async () => {
    const { signedIn } = await start(AppModule);
    const [ada, phone] = [await signedIn('ada', 'Firefox'), await signedIn('ada', 'Chrome')];
    const { body } = await ada.get('/account/devices').expect(200);
    const other = (body as { ref: string; current: boolean; description: object }[]).find(
      ({ current }) => !current,
    )!;
    expect(other.description).toEqual({ browser: 'Chrome' });
    await ada.delete(`/account/devices/${other.ref}`).expect(204);
    expect((await phone.get('/members').expect(401)).body.reason).toBe('revoked');
  });

  it('nobody ends the sessions of others, nor without a session', async () => {
    const { browser, signedIn } = await start(AppModule);
    const [ada, eve] = [await signedIn(), await signedIn('eve')];
    const [{ ref }] = (await ada.get('/account/devices').expect(200)).body;
    await eve.delete(`/account/devices/${ref}`).expect(404);
    await browser().delete(`/account/devices/${ref}`).expect(401);
    await ada.get('/members').expect(200);
  });

  it('a new password signs the person out everywhere else', async () => {
    const { signedIn } = await start(AppModule);
    const [ada, phone] = [await signedIn(), await signedIn()];
    await ada.post('/account/password').expect(201, { signedOut: 1 });
    await phone.get('/members').expect(401);
    await ada.get('/members').expect(200);
  });

  it('the endpoints do the same, and a fourth sign-in ends the first', async () => {
    const { signedIn } = await start(AppModule);
    const first = await signedIn();
    await signedIn();
    await signedIn();
    const ada = await signedIn();
    await first.get('/members').expect(401);
    expect((await ada.get('/idle-session/sessions').expect(200)).body).toHaveLength(3);
    await ada.delete('/idle-session/sessions').expect(200, { ended: 2 });
  });

  it('a fourth sign-in is refused where the options say so, and sent to a page of the app', async () => {
    const { browser, signedIn } = await start(RefusingModule);
    for (let device = 0; device < 3; device++) await signedIn();
    const answer = await browser().post('/sign-in').send({}).expect(303);
    expect(answer.headers.location).toBe('/login?full=3');
    expect(answer.headers).not.toHaveProperty('set-cookie');
  });
});
