import { Controller, Get, NotFoundException, Param, ParseIntPipe, Post } from "@nestjs/common";
import { Kitchen, type Order } from "./kitchen.js";
import { OrdersGateway } from "./orders.gateway.js";

/** What the kitchen does over HTTP. */
@Controller("orders")
export class OrdersController {
  constructor(
    private readonly kitchen: Kitchen,
    private readonly gateway: OrdersGateway,
  ) {}

  @Get()
  list(): Order[] {
    return this.kitchen.orders;
  }

  @Post(":id/ready")
  finish(@Param("id", ParseIntPipe) id: number): Order {
    const order = this.kitchen.finish(id);
    if (order === undefined) throw new NotFoundException();
    this.gateway.ready(order);
    return order;
  }
}
