# What a Cython program cimports from wscore. It must be built against the version it runs with.

from .closing cimport WSCloseHandshake, WSCloseInfo
from .enums cimport WSAutoPingStrategy, WSCloseCode, WSMsgType
from .frame cimport WSFrame
from .listener cimport WSListener
from .message_listener cimport WSMessageListener
from .transport cimport WSTransport
