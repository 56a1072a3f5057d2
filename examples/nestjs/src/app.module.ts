import { Module } from "@nestjs/common";
import { Kitchen } from "./kitchen.js";
import { OrdersController } from "./orders.controller.js";
import { OrdersGateway } from "./orders.gateway.js";

@Module({ controllers: [OrdersController], providers: [Kitchen, OrdersGateway] })
export class AppModule {}
