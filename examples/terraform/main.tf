# The service as Terraform deploys it: CloudFormation makes the stack that `npx cdk synth` wrote into cdk.out (app.mts beside this file).
terraform {
  required_providers {
    aws = { source = "hashicorp/aws", version = "~> 6.0" }
  }
}

provider "aws" {
  region = "eu-central-1"
}

variable "assembly" {
  description = "What cdk synth wrote"
  type        = string
  default     = "cdk.out"
}

locals {
  stack = jsondecode(file("${var.assembly}/manifest.json")).artifacts["Partners"].properties
  # s3://BUCKET/KEY, where the assets below have put the template.
  template = regex("^s3://(?P<bucket>[^/]+)/(?P<key>.+)$", local.stack.stackTemplateAssetObjectUrl)
}

# The code of the Lambdas, the server for the image, and the template, zipped and named by their hashes: what is there already stays.
resource "terraform_data" "assets" {
  triggers_replace = filesha256("${var.assembly}/Partners.assets.json")

  provisioner "local-exec" {
    command = "npx cdk-assets publish --path ${var.assembly}/Partners.assets.json"
  }
}

resource "aws_cloudformation_stack" "ftps" {
  name         = "Partners"
  template_url = "https://${local.template.bucket}.s3.eu-central-1.amazonaws.com/${local.template.key}"
  capabilities = ["CAPABILITY_NAMED_IAM"]
  depends_on   = [terraform_data.assets]

  timeouts {
    create = "3h" # the first image is built and tested
    update = "3h"
  }
}

output "allow_list" {
  description = "Addresses that partners allow"
  value       = one([for name, value in aws_cloudformation_stack.ftps.outputs : value if strcontains(name, "AllowList")])
}
