package policy

import (
	"go.starlark.net/syntax"
)

// guardFile rewrites a program so that its operators, calls and slices go
// through operate, call and cut, which bound what one step can do. Starlark
// itself counts steps, and a single step such as "a" * 1000000000 would take a
// gigabyte. Positions stay, so errors are reported where the user wrote them.
func guardFile(file *syntax.File) { file.Stmts = guardBlock(file.Stmts) }

func guardBlock(block []syntax.Stmt) []syntax.Stmt {
	guarded := make([]syntax.Stmt, 0, len(block))
	for _, stmt := range block {
		guarded = append(guarded, guardStmt(stmt)...)
	}
	return guarded
}

func guardStmt(stmt syntax.Stmt) []syntax.Stmt {
	switch s := stmt.(type) {
	case *syntax.AssignStmt:
		return guardAssign(s)
	case *syntax.DefStmt:
		guardParams(s.Params)
		s.Body = guardBlock(s.Body)
	case *syntax.ExprStmt:
		s.X = guard(s.X)
	case *syntax.ForStmt:
		s.Vars, s.X, s.Body = guard(s.Vars), guard(s.X), guardBlock(s.Body)
	case *syntax.WhileStmt:
		s.Cond, s.Body = guard(s.Cond), guardBlock(s.Body)
	case *syntax.IfStmt:
		s.Cond, s.True = guard(s.Cond), guardBlock(s.True)
		if s.False != nil {
			s.False = guardBlock(s.False)
		}
	case *syntax.ReturnStmt:
		s.Result = guard(s.Result)
	}
	return []syntax.Stmt{stmt}
}

// guardAssign writes x += y as x = operate(x, y), and a[i] += y likewise, with a
// and i evaluated once.
func guardAssign(s *syntax.AssignStmt) []syntax.Stmt {
	s.LHS, s.RHS = guard(unparen(s.LHS)), guard(s.RHS)
	if s.Op == syntax.EQ {
		return []syntax.Stmt{s}
	}
	assign := func(to, value syntax.Expr) syntax.Stmt {
		return &syntax.AssignStmt{OpPos: s.OpPos, Op: syntax.EQ, LHS: to, RHS: value}
	}
	switch to := s.LHS.(type) {
	case *syntax.Ident:
		from := &syntax.Ident{Name: to.Name, NamePos: to.NamePos}
		return []syntax.Stmt{assign(to, through(s.Op.String(), s.OpPos, from, s.RHS))}
	case *syntax.IndexExpr:
		name := func(n string) *syntax.Ident { return &syntax.Ident{Name: n, NamePos: to.Lbrack} }
		element := func() syntax.Expr {
			return &syntax.IndexExpr{X: name("the container"), Lbrack: to.Lbrack, Y: name("the index"), Rbrack: to.Rbrack}
		}
		return []syntax.Stmt{
			assign(name("the container"), to.X),
			assign(name("the index"), to.Y),
			assign(element(), through(s.Op.String(), s.OpPos, element(), s.RHS)),
		}
	}
	return []syntax.Stmt{s}
}

func unparen(e syntax.Expr) syntax.Expr {
	for {
		p, ok := e.(*syntax.ParenExpr)
		if !ok {
			return e
		}
		e = p.X
	}
}

// guard rewrites an expression, and returns nil for nil.
func guard(e syntax.Expr) syntax.Expr {
	switch e := e.(type) {
	case *syntax.BinaryExpr:
		e.X, e.Y = guard(e.X), guard(e.Y)
		if e.Op != syntax.AND && e.Op != syntax.OR {
			return through(e.Op.String(), e.OpPos, e.X, e.Y)
		}
	case *syntax.CallExpr:
		guardArgs(e.Args)
		e.Args = append([]syntax.Expr{guard(e.Fn)}, e.Args...)
		e.Fn = &syntax.Ident{Name: callName, NamePos: syntax.Start(e.Fn)}
	case *syntax.SliceExpr:
		e.X = through(cutName, e.Lbrack, guard(e.X))
		e.Lo, e.Hi, e.Step = guard(e.Lo), guard(e.Hi), guard(e.Step)
	case *syntax.Comprehension:
		e.Body = guard(e.Body)
		guardClauses(e.Clauses)
	case *syntax.CondExpr:
		e.Cond, e.True, e.False = guard(e.Cond), guard(e.True), guard(e.False)
	case *syntax.DictEntry:
		e.Key, e.Value = guard(e.Key), guard(e.Value)
	case *syntax.DictExpr:
		guardList(e.List)
	case *syntax.DotExpr:
		e.X = guard(e.X)
	case *syntax.IndexExpr:
		e.X, e.Y = guard(e.X), guard(e.Y)
	case *syntax.LambdaExpr:
		guardParams(e.Params)
		e.Body = guard(e.Body)
	case *syntax.ListExpr:
		guardList(e.List)
	case *syntax.ParenExpr:
		e.X = guard(e.X)
	case *syntax.TupleExpr:
		guardList(e.List)
	case *syntax.UnaryExpr:
		e.X = guard(e.X)
	}
	return e
}

func guardList(list []syntax.Expr) {
	for i, e := range list {
		list[i] = guard(e)
	}
}

func guardClauses(clauses []syntax.Node) {
	for _, clause := range clauses {
		switch c := clause.(type) {
		case *syntax.ForClause:
			c.Vars, c.X = guard(c.Vars), guard(c.X)
		case *syntax.IfClause:
			c.Cond = guard(c.Cond)
		}
	}
}

// guardArgs leaves the = of f(name=value) alone, which is written as an operator.
func guardArgs(args []syntax.Expr) {
	for i, arg := range args {
		if named, ok := arg.(*syntax.BinaryExpr); ok && named.Op == syntax.EQ {
			named.Y = guard(named.Y)
			continue
		}
		args[i] = guard(arg)
	}
}

// guardParams guards the default values of a function's parameters.
func guardParams(params []syntax.Expr) { guardArgs(params) }

// through makes a call of a guard, at the place of what it replaces.
func through(name string, pos syntax.Position, args ...syntax.Expr) syntax.Expr {
	return &syntax.CallExpr{Fn: &syntax.Ident{Name: name, NamePos: pos}, Lparen: pos, Args: args, Rparen: pos}
}
