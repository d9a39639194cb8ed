/** The module of a lane's worker thread. */
import { parentPort } from 'node:worker_threads'
import { serveLane } from '../core/lanes.ts'
import { laneHandlers } from './lane.ts'

serveLane(parentPort!, laneHandlers)
