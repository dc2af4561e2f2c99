# The names for `cimport wscore`. A Cython program must be built against the version it runs with.

from .connection.state cimport WSCloseHandshake, WSCloseInfo
from .enums cimport WSAutoPingStrategy, WSCloseCode, WSMsgType
from .connection.frame cimport WSFrame
from .connection.listener cimport WSListener
from .messages.message_listener cimport WSMessageListener
from .connection.transport cimport WSTransport
