import { Injectable } from "@nestjs/common";

export interface Order {
  id: number;
  dish: string;
  isReady: boolean;
}

/** The orders, in memory. */
@Injectable()
export class Kitchen {
  readonly orders: Order[] = [];

  add(dish: string): Order {
    const order = { id: this.orders.length + 1, dish, isReady: false };
    this.orders.push(order);
    return order;
  }

  finish(id: number): Order | undefined {
    const order = this.orders.find((each) => each.id === id);
    if (order !== undefined) order.isReady = true;
    return order;
  }
}
