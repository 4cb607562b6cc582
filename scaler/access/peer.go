package access

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/user"
	"slices"
	"strconv"
)

type peerKey struct{}

// Connected is the ConnContext of a server on a unix socket: it notes who is at the
// other end of a connection, as the kernel knows it. Root, and the user and the group
// that this process has, are admins; anybody else is nobody.
func Connected(ctx context.Context, conn net.Conn) context.Context {
	socket, ok := conn.(*net.UnixConn)
	if !ok {
		return ctx
	}
	who := Identity{How: Socket, From: "socket"}
	uid, gid, err := credentials(socket)
	if err == nil {
		who.Name = name(uid)
		if uid == 0 || uid == os.Getuid() || gid == os.Getgid() || member(uid, os.Getgid()) {
			who.Role = Admin
		}
	}
	return context.WithValue(ctx, peerKey{}, who)
}

func peerOf(ctx context.Context) (Identity, bool) {
	who, ok := ctx.Value(peerKey{}).(Identity)
	return who, ok
}

func name(uid int) string {
	if u, err := user.LookupId(strconv.Itoa(uid)); err == nil {
		return u.Username
	}
	return fmt.Sprintf("uid %d", uid)
}

// member reports whether a user is of a group.
func member(uid, gid int) bool {
	u, err := user.LookupId(strconv.Itoa(uid))
	if err != nil {
		return false
	}
	groups, err := u.GroupIds()
	return err == nil && slices.Contains(groups, strconv.Itoa(gid))
}
