// A Nest application: gateways with a pipe, a guard, an interceptor and a filter. It applies decorators as compiled
// TypeScript does.
import "reflect-metadata";
import {
  Catch,
  Injectable,
  Module,
  UseFilters,
  UseGuards,
  UseInterceptors,
  UsePipes,
  ValidationPipe,
} from "@nestjs/common";
import { NestFactory } from "@nestjs/core";
import { IoAdapter } from "@nestjs/platform-socket.io";
import {
  Ack,
  BaseWsExceptionFilter,
  ConnectedSocket,
  MessageBody,
  SubscribeMessage,
  WebSocketGateway,
  WebSocketServer,
  WsException,
} from "@nestjs/websockets";
import { IsString, MaxLength } from "class-validator";
import { from, map } from "rxjs";
import { __decorate, __metadata, __param } from "tslib";
import { given, host, ready } from "./program.mjs";

/** Applies decorators to a method, with the types of its parameters. */
function decorate(target, method, types, ...decorators) {
  __decorate([...decorators, __metadata("design:paramtypes", types)], target.prototype, method, null);
}

class CreateMessage {}
__decorate([IsString(), MaxLength(10)], CreateMessage.prototype, "text", undefined);

class TokenGuard {
  canActivate(context) {
    return context.switchToWs().getClient().handshake.auth.token === "secret";
  }
}
__decorate([Injectable()], TokenGuard);

class Wrapping {
  intercept(context, next) {
    return next.handle().pipe(map((data) => ({ wrapped: data })));
  }
}
__decorate([Injectable()], Wrapping);

class TellingFilter extends BaseWsExceptionFilter {
  catch(exception, host) {
    host.switchToWs().getClient().emit("told", exception.getError());
  }
}
__decorate([Catch(WsException)], TellingFilter);

const events = [];

class Gateway {
  afterInit(server) {
    events.push(["init", typeof server.to]);
  }

  handleConnection(client) {
    events.push(["connection", client.handshake.auth.name]);
  }

  handleDisconnect(client) {
    events.push(["disconnect", client.handshake.auth.name]);
  }

  echo(data) {
    return { event: "echoed", data };
  }

  sum(numbers) {
    return numbers.reduce((total, number) => total + number, 0);
  }

  acknowledge(data, ack) {
    ack(data, "by hand");
  }

  numbers() {
    return from([1, 2, 3]).pipe(map((data) => ({ event: "number", data })));
  }

  create(message) {
    return { event: "created", data: { isInstance: message instanceof CreateMessage, ...message } };
  }

  guarded() {
    return "let in";
  }

  wrapped(data) {
    return data;
  }

  fail(message) {
    throw new WsException(message);
  }

  told(message) {
    throw new WsException({ reason: message });
  }

  crash() {
    throw new Error("not for clients");
  }

  join(room, client) {
    client.join(room);
    this.server.to(room).emit("joined", client.id);
  }
}
const body = __param(0, MessageBody());
const validation = new ValidationPipe({
  transform: true,
  exceptionFactory: (errors) => new WsException(errors.map(({ constraints }) => constraints)),
});
decorate(Gateway, "echo", [Object], SubscribeMessage("echo"), body);
decorate(Gateway, "sum", [Array], SubscribeMessage("sum"), body);
decorate(
  Gateway,
  "acknowledge",
  [Object, Function],
  SubscribeMessage("acknowledge"),
  body,
  __param(1, Ack()),
);
decorate(Gateway, "numbers", [], SubscribeMessage("numbers"));
decorate(Gateway, "create", [CreateMessage], SubscribeMessage("create"), UsePipes(validation), body);
decorate(Gateway, "guarded", [], SubscribeMessage("guarded"), UseGuards(TokenGuard));
decorate(Gateway, "wrapped", [Object], SubscribeMessage("wrapped"), UseInterceptors(Wrapping), body);
decorate(Gateway, "fail", [String], SubscribeMessage("fail"), body);
decorate(Gateway, "told", [String], SubscribeMessage("told"), UseFilters(TellingFilter), body);
decorate(Gateway, "crash", [], SubscribeMessage("crash"));
decorate(Gateway, "join", [String, Object], SubscribeMessage("join"), body, __param(1, ConnectedSocket()));
__decorate([WebSocketServer()], Gateway.prototype, "server", undefined);

// with its own port, the gateway creates a server; without one, it shares the server of the application
const place = host === "uws" ? [given.port] : [];
const gateway = __decorate([WebSocketGateway(...place)], Gateway);

class OrdersGateway {
  handleConnection(client) {
    client.emit("welcome", client.nsp.name);
  }

  count() {
    return this.server.sockets.size;
  }
}
decorate(OrdersGateway, "count", [], SubscribeMessage("count"));
__decorate([WebSocketServer()], OrdersGateway.prototype, "server", undefined);
const orders = __decorate([WebSocketGateway(...place, { namespace: "orders" })], OrdersGateway);

class ApplicationModule {}
__decorate([Module({ providers: [gateway, orders] })], ApplicationModule);

const app = await NestFactory.create(ApplicationModule, { logger: false });
app.useWebSocketAdapter(new IoAdapter(app));
await app.listen(0, "127.0.0.1");

const io = app.get(gateway).server;
ready(host === "uws" ? io.httpServer : app.getHttpServer(), {
  events: () => events.splice(0),
  close: () => app.close(),
});
