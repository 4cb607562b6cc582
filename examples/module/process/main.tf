# The smallest module for scalerd: a variable "nodes" and an output "nodes", both by
# node name, and resources whose for_each keys are the node names.

variable "nodes" {
  description = "The nodes and what each is created with, by name."
  type = map(object({
    user_data = string
    size      = string
  }))
}

variable "owner" {
  description = "Who the nodes belong to."
  type        = string
}

resource "terraform_data" "node" {
  for_each = var.nodes

  input = {
    name      = each.key
    size      = each.value.size
    owner     = var.owner
    user_data = sha256(each.value.user_data)
  }
}

output "nodes" {
  description = "Every node's identifier and addresses, by name."
  value = {
    for name, node in terraform_data.node : name => {
      id         = node.id
      private_ip = "127.0.0.1"
      public_ip  = null
    }
  }
}
