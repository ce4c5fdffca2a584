#pragma once

#include "agent/agent.pb.h"
#include "base/error.h"

namespace kata::agent {

// Adds or replaces routes of the main table, those without gateway first (a gateway must be
// reachable when its route comes). Routes already there stay.
Status update_routes(const grpc::Routes& wanted);
// Routes of the main table.
Result<grpc::Routes> list_routes();

// Adds or replaces neighbour entries; state 0 means permanent.
Status add_neighbors(const grpc::ARPNeighbors& neighbors);

}  // namespace kata::agent
