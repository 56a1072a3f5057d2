import assert from "node:assert/strict";
import { next } from "../../test/support/waiting/events.ts";
import { connect, program, published } from "./support/published.ts";

interface Refusal extends Error {
  readonly data: unknown;
}

published("@thream/socketio-jwt", (host) => {
  const server = program("middlewares", host);
  const sign = (claims: object, options: object = {}): Promise<string> =>
    server().call("sign", claims, options);
  const refusal = async (auth: object, namespace = "/jwt"): Promise<Refusal> => {
    const [error] = await next<[Refusal]>(connect(server().url + namespace, { auth }), "connect_error");
    return error;
  };

  it("accepts a valid token, and passes its claims to the application", async () => {
    const token = await sign({ sub: "42" });
    const client = connect(`${server().url}/jwt`, { auth: { token: `Bearer ${token}` } });
    assert.deepEqual(await next(client, "welcome"), [
      { sub: "42", user: { name: "user 42" }, encodedToken: token },
    ]);
  });

  it("refuses a client without a token, with the data of the error", async () => {
    const { message, data } = await refusal({});
    assert.equal(message, "no token provided");
    assert.deepEqual(data, { message, code: "credentials_required", type: "UnauthorizedError" });
  });

  it("refuses a malformed token", async () => {
    assert.equal((await refusal({ token: "x" })).message, "Format is Authorization: Bearer [token]");
  });

  it("refuses an expired token", async () => {
    const token = await sign({ sub: "42" }, { expiresIn: -10 });
    const { message, data } = await refusal({ token: `Bearer ${token}` });
    assert.equal(message, "Unauthorized: Token is missing or invalid Bearer");
    assert.deepEqual(data, { message, code: "invalid_token", type: "UnauthorizedError" });
  });

  it("looks up the secret by the header of the token", async () => {
    const good = connect(`${server().url}/jwt-of-many`, {
      auth: { token: `Bearer ${await sign({ sub: "1" }, { keyid: "1" })}` },
    });
    await next(good, "connect");
    const token = `Bearer ${await sign({ sub: "1" }, { keyid: "2" })}`;
    const { message } = await refusal({ token }, "/jwt-of-many");
    assert.equal(message, "Unauthorized: Token is missing or invalid Bearer");
  });
});
