// Compiles the room's headers once, so that each of them is known to stand alone.
#include "service/call.h"
#include "service/coordinator.h"
#include "service/ddl.h"
#include "service/frontend.h"
#include "service/shard.h"
