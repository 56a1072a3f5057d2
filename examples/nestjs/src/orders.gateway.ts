import {
  ConnectedSocket,
  MessageBody,
  SubscribeMessage,
  WebSocketGateway,
  WebSocketServer,
  WsException,
} from "@nestjs/websockets";
import type { Server, Socket } from "socket.io";
import { Kitchen, type Order } from "./kitchen.js";

/** What guests do over Socket.IO. */
@WebSocketGateway()
export class OrdersGateway {
  @WebSocketServer() private readonly io!: Server;

  constructor(private readonly kitchen: Kitchen) {}

  /** The guest who orders hears when the dish is ready, and gets the order as acknowledgement. */
  @SubscribeMessage("order")
  async order(@ConnectedSocket() socket: Socket, @MessageBody() dish: unknown): Promise<Order> {
    if (typeof dish !== "string" || dish === "") throw new WsException("Name a dish.");
    const order = this.kitchen.add(dish);
    await socket.join(`order:${order.id}`);
    return order;
  }

  ready(order: Order): void {
    this.io.to(`order:${order.id}`).emit("ready", order);
  }
}
